"""What a case is given: the nodes the kit plays, the hook, and the moves that most cases have in common."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from hutong.conformance.case import Failed, Result, require
from hutong.conformance.hook import Hook, HookRefused
from hutong.conformance.messages import OUR_ID, consult, credit_transfer, share_bps, status, value_of
from hutong.conformance.station import Answer, Heard, Seat
from hutong.conformance.wire import Envelope, Message, new_id, now_ms

SOON_S = 15.0  # An answer to a message; long, because machines under test are busy.
AGAIN_S = 12.0  # Asking again: about 2 s, spread.
QUIET_S = 0.5  # So long nothing must come.
FUNDS = 50_000  # What the hook gives a payer at least, in minor units.

Check = Callable[[Message], bool]


def is_a(type_: str, **values: Any) -> Check:
    """Messages of a type whose fields have these values."""
    return lambda message: (
        message["MsgTp"] == type_ and all(value_of(message, name) == value for name, value in values.items())
    )


def status_is(*codes: str) -> Check:
    """A pacs.002 that says one of these."""
    return lambda message: message["MsgTp"] == "pacs.002" and message["TxSts"] in codes


def asks_again(message: Message) -> bool:
    """What an agent says that has accepted and hears nothing: that it has, or a question."""
    return status_is("ACSP")(message) or is_a("pacs.028")(message)


class Moves:
    """What is said through one seat, kept for the case's report."""

    def __init__(self, seat: Seat, result: Result) -> None:
        self.seat = seat
        self._result = result

    @property
    def node(self) -> str:
        return self.seat.node

    @property
    def peer(self) -> str:
        return self.seat.peer.node

    def send(self, envelope: Envelope, what: str) -> Answer:
        """One envelope, whatever is said to it."""
        answer = self.seat.post(envelope)
        self._result.note("sent", f"{what} -> {answer}")
        return answer

    def tell(self, *messages: Message) -> None:
        """Messages in one envelope, which must be taken."""
        for message in messages:
            self._result.note("sent", message)
        answer = self.seat.post(self.seat.seal(list(messages)))
        require(answer.status == 202 and not answer.body, "a good envelope is answered 202 and nothing", answer)

    def wait(
        self,
        about: str,
        check: Check,
        say: str,
        *,
        count: int = 1,
        within_s: float = SOON_S,
        taken: bool = True,
    ) -> list[Heard]:
        """So many messages with this text in a field; fails with `say` when they don't come."""
        found = self.seat.wait(about, check, count=count, within_s=within_s, taken=taken)
        for each in found[-count:]:
            self._result.note("came", each.message)
        if len(found) < count:
            came = [each.message for each in self.seat.heard(about, lambda _: True, taken=False)][-3:]
            raise Failed(
                f"{say}: not within {within_s:g} s ({len(found)} of {count}); about it came {came or 'nothing'}"
            )
        return found

    def one(self, about: str, check: Check, say: str, *, within_s: float = SOON_S) -> Message:
        """The first such message."""
        return self.wait(about, check, say, within_s=within_s)[0].message

    def never(self, about: str, check: Check, say: str, *, beyond: int = 0, for_s: float = QUIET_S) -> None:
        """No such message comes, or no more than `beyond`, though we wait a little."""
        found = self.seat.wait(about, check, count=beyond + 1, within_s=for_s)
        require(len(found) <= beyond, say, *(each.message for each in found[beyond:]))

    def arrived(self, abouts: list[str], check: Check, enough: int) -> int:
        """About how many of these something came, once it is enough or the time is over."""
        until = time.monotonic() + SOON_S
        while (seen := sum(bool(self.count(about, check)) for about in abouts)) < enough:
            if time.monotonic() > until:
                break
            threading.Event().wait(0.05)
        return seen

    def count(self, about: str, check: Check) -> int:
        return len(self.seat.heard(about, check))

    def note(self, what: str) -> None:
        self._result.note("note", what)


@dataclass(frozen=True, slots=True)
class Shop:
    """A code of a payee the kit plays, and what it resolves to."""

    code: str
    terms: Message

    @property
    def request_id(self) -> str:
        return str(self.terms["PmtInfId"])


class CodeBook:
    """The codes of the payees the kit plays; answers consults about them, as the switch with the owner behind it."""

    def __init__(self, creditor_agent: str) -> None:
        self._creditor_agent = creditor_agent
        self._terms: dict[str, Message] = {}
        self._takes_off: dict[str, int] = {}
        self._lock = threading.Lock()

    def open(self, **said: Any) -> Shop:
        """
        A new code; `said` changes what it resolves to. `CnsltSts="REFUSED"` makes one that can't be paid.

        `takes_off`: what its side takes off any amount, once a consult names one.
        """
        takes_off = int(said.pop("takes_off", 0))
        request_id = new_id()
        code = f"https://conformance.example/q/{request_id.upper()}"
        terms = {
            "MsgTp": "hutong.resolve",
            "CnsltSts": "FOUND",
            "CdtrAgt": self._creditor_agent,
            "CdtrNm": "Conformance Noodles",
            "MrchntCtgyCd": "5812",
            "LclInstrm": "DYNAMIC",
            "PmtInfId": request_id,
            "Ccy": "CNY",
            "XpryDtTm": now_ms() + 600_000,
            "FeeVrsn": "kit-1",
        } | said
        with self._lock:
            self._terms[code] = terms
            self._takes_off[code] = takes_off
        return Shop(code, terms)

    def answer(self, message: Message) -> list[Message]:
        """The resolve to a consult; REFUSED for codes nobody opened."""
        if message["MsgTp"] != "hutong.consult":
            return []
        with self._lock:
            terms, takes_off = self._terms.get(message["Cd"]), self._takes_off.get(message["Cd"], 0)
        about = {"CnsltId": message["CnsltId"], "DbtrAgt": message["DbtrAgt"]}
        if terms is None:
            no = {"CnsltSts": "REFUSED", "StsRsnCd": "NARR", "StsRsnPrtry": "CODE_UNKNOWN"}
            return [{"MsgTp": "hutong.resolve"} | about | no]
        if takes_off:
            named = value_of(message, "InstdAmt")
            terms = terms | {"DscntInd": True, "CdtrDscntAmt": takes_off if named else 0}
        return [{"MsgTp": "hutong.resolve"} | about | terms]


@dataclass(slots=True)
class ParticipantPlay:
    """A participant is tested: the kit is its switch, and everybody behind it."""

    switch: Moves
    hook: Hook
    codes: CodeBook
    debtor_agent: str  # Payers elsewhere are its users.
    creditor_agent: str  # And payees elsewhere its merchants.
    handles: dict[str, str] = field(default_factory=dict)  # By the id on the wire: what the hook calls it.

    @property
    def talk(self) -> Moves:
        """Who sends envelopes that are about envelopes."""
        return self.switch

    @property
    def asker(self) -> str:
        """Whose consults it may pass on."""
        return self.debtor_agent

    @property
    def subject(self) -> str:
        return self.switch.peer

    def shows_code(self, amount: int = 0) -> tuple[str, Message]:
        """A fresh payee of the subject's, and what its code resolves to."""
        payee = str(self.hook.ask("payee")["payee"])
        return payee, self.resolve(self.new_code(payee, amount))

    def new_code(self, payee: str, amount: int = 0) -> str:
        """A code of a payee's: static for amount 0, else for one payment of this amount."""
        return str(self.hook.ask("code", payee=payee, amount=amount)["code"])

    def resolve(self, code: str, **said: Any) -> Message:
        """What the subject says a code of its own asks for."""
        asked = consult(code, self.debtor_agent, **said)
        self.switch.tell(asked)
        say = "a consult of its own code is answered by hutong.resolve"
        return self.switch.one(asked["CnsltId"], is_a("hutong.resolve"), say)

    def paying(self, terms: Message, amount: int, **said: Any) -> Message:
        """A sound pacs.008 that pays what was resolved, without fees."""
        at = now_ms()
        expires_in_ms = said.pop("expires_in_ms", 60_000)
        return {
            "MsgTp": "pacs.008",
            "TxId": new_id(),
            "EndToEndId": terms["PmtInfId"],
            "InstdAmt": amount,
            "Ccy": value_of(terms, "Ccy"),
            "IntrBkSttlmAmt": amount,
            "FeeVrsn": "kit-1",
            "LclInstrm": value_of(terms, "LclInstrm"),
            "MrchntCtgyCd": value_of(terms, "MrchntCtgyCd"),
            "DbtrAgt": self.debtor_agent,
            "CdtrAgt": self.subject,
            "DbtrNm": "*小明",
            "AccptncDtTm": at,
            "XpryDtTm": at + expires_in_ms,
        } | said

    def accepted(self, payment: Message) -> None:
        """Offer it, and hear ACSP."""
        self.switch.tell(payment)
        self.hear_acceptance(payment)

    def hear_acceptance(self, instruction: Message, *, count: int = 1) -> None:
        say = f"the {instruction['MsgTp']} is answered by ACSP"
        self.switch.wait(instruction[OUR_ID[instruction["MsgTp"]]], status_is("ACSP"), say, count=count)

    def refused(self, instruction: Message, say: str) -> Message:
        """Offer it, and hear RJCT with a reason."""
        self.switch.tell(instruction)
        about = instruction[OUR_ID[instruction["MsgTp"]]]
        answer = self.switch.one(about, status_is("RJCT", "ACSP"), say)
        require(answer["TxSts"] == "RJCT", say, answer)
        require(value_of(answer, "StsRsnCd"), "a refusal names its reason by ISO code", answer)
        return answer

    def balance(self, of: str) -> int:
        return int(self.hook.ask("balance", of=of)["balance"])

    def settles_at(self, of: str, balance: int, say: str) -> None:
        """The balance is this soon, and stays."""
        until = time.monotonic() + SOON_S
        while (seen := self.balance(of)) != balance and time.monotonic() < until:
            threading.Event().wait(0.05)
        require(seen == balance, say, f"expected {balance}, got {seen}")

    def payer(self) -> str:
        return str(self.hook.ask("payer")["payer"])

    def start(self, verb: str, **facts: Any) -> "Future[dict[str, Any]]":
        """Ask the hook for something that waits for us."""
        asked: Future[dict[str, Any]] = Future()

        def ask() -> None:
            try:
                asked.set_result(self.hook.ask(verb, **facts))
            except Exception as error:  # noqa: BLE001  # Whoever asks for the result raises it.
                asked.set_exception(error)

        thread = threading.Thread(target=ask, daemon=True, name=f"hook {verb}")
        thread.start()
        return asked

    def pays(self, payer: str, shop: Shop, amount: int) -> Message:
        """Have a payer of the subject's pay a code of ours; its pacs.008."""
        handle = new_id()
        asked = self.start("pay", id=handle, payer=payer, code=shop.code, amount=amount)
        found = self.switch.seat.wait(shop.request_id, is_a("pacs.008"), count=1, within_s=SOON_S, taken=False)
        if not found:
            if asked.done():
                asked.result()
            raise Failed(f"the payer's payment sends a pacs.008 with the code's PmtInfId: none within {SOON_S:g} s")
        payment = found[0].message
        self.handles[payment["TxId"]] = handle
        self.switch.note(f"came {payment}")
        return payment

    def crash(self) -> None:
        """Have it end as by a power cut and start again; returns when it takes envelopes."""
        self.hook.ask("crash")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            probe = consult("https://nobody.conformance.example/q/0", self.debtor_agent)
            if self.switch.seat.post(self.switch.seat.seal([probe])).status == 202:
                return
            threading.Event().wait(0.1)
        raise Failed("it does not come back after a crash")

    def state(self, verb: str, id_: str, *states: str, say: str) -> None:
        """The payment, refund or request is in one of these states soon."""
        until = time.monotonic() + SOON_S
        handle = self.handles[id_]
        while (seen := self.hook.ask(verb, id=handle)["state"]) not in states and time.monotonic() < until:
            threading.Event().wait(0.05)
        require(seen in states, say, f"it is {seen}")


def refused_by_hook(asked: "Future[dict[str, Any]]", within_s: float = SOON_S) -> bool:
    """Whether the implementation refused what its user asked for, or said that it was rejected."""
    try:
        return str(asked.result(within_s)["state"]) == "REJECTED"
    except HookRefused:
        return True


@dataclass(slots=True)
class Fees:
    """What the switch charges for a kind of payment, as it said in a hutong.resolve."""

    interchange_bps: int
    switch_fee_bps: int
    version: str


@dataclass(slots=True)
class SwitchPlay:
    """A switch is tested: the kit plays payer's and payee's nodes, a bystander, and one with hardly any cap."""

    payer: Moves
    payee: Moves
    bystander: Moves
    poor: Moves
    hook: Hook
    forms: dict[str, str]  # What the codes of each played node begin with.
    fees: Fees

    @property
    def talk(self) -> Moves:
        """Who sends envelopes that are about envelopes."""
        return self.payer

    @property
    def asker(self) -> str:
        """Whose consults it may send."""
        return self.payer.node

    def paying(self, amount: int, *, expires_in_ms: int = 60_000, by: Moves | None = None, **said: Any) -> Message:
        """A sound pacs.008 from payer to payee, with the fees the switch asks for."""
        interchange = share_bps(amount, self.fees.interchange_bps)
        switch_fee = share_bps(amount, self.fees.switch_fee_bps)
        parts = {
            "IntrBkSttlmAmt": amount - interchange - switch_fee,
            "IntrchgAmt": interchange,
            "SwtchChrgAmt": switch_fee,
            "FeeVrsn": self.fees.version,
        }
        debtor_agent = (by or self.payer).node
        creditor_agent = said.pop("CdtrAgt", self.payee.node)
        return credit_transfer(
            debtor_agent=debtor_agent,
            creditor_agent=creditor_agent,
            amount=amount,
            expires_in_ms=expires_in_ms,
            **(parts | said),
        )

    def offered(self, payment: Message, *, by: Moves | None = None, to: Moves | None = None) -> Message:
        """Send an instruction, and see it at the other agent."""
        (by or self.payer).tell(payment)
        about = payment[OUR_ID[payment["MsgTp"]]]
        say = f"a sound {payment['MsgTp']} is offered to the other agent"
        return (to or self.payee).one(about, is_a(payment["MsgTp"]), say)

    def decided(self, about: str, code: str, *agents: Moves) -> Message:
        """Both agents hear this decision."""
        for agent in agents or (self.payer, self.payee):
            heard = agent.one(about, status_is("ACSC", "RJCT"), f"{agent.node} hears the decision")
            require(heard["TxSts"] == code, f"the decision is {code}", heard)
        return heard

    def completes(self, payment: Message) -> None:
        """All the way."""
        self.offered(payment)
        self.payee.tell(status(payment, "ACSP"))
        self.decided(payment["TxId"], "ACSC")

    def rejects(self, payment: Message, reason: str) -> None:
        """Refused by the switch itself: the payer's node hears it, the payee's sees nothing."""
        self.payer.tell(payment)
        heard = self.payer.one(payment["TxId"], status_is("ACSC", "RJCT"), f"it is rejected: {reason}")
        require((heard["TxSts"], value_of(heard, "StsRsnPrtry")) == ("RJCT", reason), f"rejected as {reason}", heard)
        require(not self.payee.count(payment["TxId"], is_a("pacs.008")), "it is not offered to the other agent")

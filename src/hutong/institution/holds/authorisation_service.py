"""
Authorisations: the merchant's side, which asks, lets go, and believes what the debtor agent says of what it holds.

What is asked is asked again until it is answered; what is told is taken in the order of its numbers, and acknowledged. What is held
for us that we do not want (any more) is let go at once.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog
from msgspec.structs import replace

from hutong.codes.code import CodeReason
from hutong.codes.plate import PATH, PlateKind, read_plate_id
from hutong.institution.holds.authorisation import (
    AUTHORISATION_RELEASES,
    AUTHORISATIONS,
    Authorisation,
    AuthorisationState,
    Offer,
    Release,
    ReleaseState,
    new_authorisation,
)
from hutong.institution.holds.hold import HELD_DAYS
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.payments.mandate import HOLD_PREFIX
from hutong.institution.payments.wording import network_reason, network_text
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.daily import MISSED_DAYS, DueDays
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, warmed
from hutong.scheme.hold import HoldAct, HoldReport, HoldRequest, HoldStatus
from hutong.scheme.messages import CodeConsult, CodeResolve, ConsultStatus, hex_id, id_hex

log = structlog.get_logger()


class Asker(Protocol):
    """Who asks to hold money, for merchants: built upon an institution. Everything but `offer` is within a decision, and never cold."""

    def offer(self, id_: int) -> Offer | None:
        """What is asked under this id; None: nothing ever was. May raise `Cold`, and looks up what `changed` changes."""
        ...

    def look_up(self, release_id: int) -> None:
        """Bring into memory what `released` changes. May raise `Cold`."""
        ...

    def changed(self, authorisation: Authorisation) -> None:
        """The debtor agent has said something new."""
        ...

    def released(self, release: Release) -> None:
        """It has answered a release."""
        ...


class NobodyAsks:
    """Who asks at an institution whose merchants hold nothing."""

    def offer(self, id_: int) -> Offer | None:  # noqa: ARG002  # Nothing was ever asked.
        return None

    def look_up(self, release_id: int) -> None: ...

    def changed(self, authorisation: Authorisation) -> None: ...

    def released(self, release: Release) -> None: ...


class AuthorisationService:
    """What merchants of ours hold elsewhere."""

    def __init__(self, node: NodeRuntime, own_links: str, send: Callable[[HoldRequest | CodeResolve], None]) -> None:
        self._node = node
        self._own_links = own_links + PATH + PlateKind.HOLD.value
        self._send = send
        self.asker: Asker = NobodyAsks()  # Until somebody is built upon the institution, before messages come.
        self.all = Shelf(AUTHORISATIONS, node.journal, node.store, by=("due_day",), timed=True)
        self.releases = Shelf(AUTHORISATION_RELEASES, node.journal, node.store, by=("authorisation_id",), timed=True)
        self._rounds = Rounds()
        self._release_rounds = Rounds()
        self._due_days = DueDays(node, self._ask_due)

    async def load(self) -> None:
        """What is not over; the others as they are asked for."""
        await self.all.start()
        await self.releases.start()
        today = self._node.clock.now_ns() // NS_PER_DAY
        await self.all.load_by("due_day", range(max(1, today - MISSED_DAYS), today + HELD_DAYS + 3))

    async def resume(self) -> None:
        """After a restart: ask again whatever is not over, how it stands, and let go what was to be."""
        now_ns = self._node.clock.now_ns()
        waiting = [each for each in self.all.everything() if each.due_day]
        for each in waiting:
            self._rounds.begin(each.id, now_ns)
        # Whoever is to let go may have been away for long; what has ended since is let go of in a moment.
        await self.releases.load_by("authorisation_id", [each.id for each in waiting])
        await self.releases.load_since(max(0, self._node.journal.position - UNFINISHED_WITHIN))
        for release in self.releases.everything():
            if release.state == ReleaseState.WANTED:
                self._release_rounds.begin(release.id, now_ns)

    # Who asks.

    def ask(self, offer: Offer, code: str) -> Authorisation:
        """Ask whoever showed this code. Repeats: asks again; of one that was refused, another code may be tried."""
        known = self.all.get(offer.id)
        if known is None or (known.state == AuthorisationState.REFUSED and not known.number):
            now_ns = self._node.clock.now_ns()
            known = new_authorisation(offer, code, now_ns, now_ns // NS_PER_DAY + 2)
            self.all.put(known)
            self._rounds.begin(known.id, now_ns)
        if known.state == AuthorisationState.ASKED:
            self._open(known)
        return known

    def withdraw(self, id_: int) -> None:
        """Nobody can agree to it any more, as far as we are concerned. What is held all the same is let go when we hear of it."""
        known = self.all.get(id_)
        if known is None or known.state != AuthorisationState.ASKED:
            return
        now_ns = self._node.clock.now_ns()
        self._send(self._message(known, act=HoldAct.RELEASE, act_id=id_hex(derive(id_, "withdrawn"))))
        self.all.put(known.ended(AuthorisationState.CLOSED, now_ns))
        self._rounds.end(id_)

    def release(self, id_: int, release_id: int, amount: int) -> Release:
        """
        Let go so much of what is held, or, with 0, everything and end it. Who asks hears in `Asker.released`.

        Refuses:  HOLD_NOT_HELD.
        Repeats:  the release.
        """
        known = self.releases.get(release_id)
        if known is not None:
            return known
        authorisation = self.all.get(id_)
        if authorisation is None or authorisation.state != AuthorisationState.HELD:
            raise Refusal(HoldReason.HOLD_NOT_HELD)
        release = Release(
            id=release_id,
            authorisation_id=id_,
            amount=amount,
            state=ReleaseState.WANTED,
            reason="",
            created_ns=self._node.clock.now_ns(),
        )
        self.releases.put(release)
        self._release_rounds.begin(release_id, release.created_ns)
        self._let_go(authorisation, release)
        return release

    # The network.

    def told(self, message: HoldReport) -> None:
        """hutong.held: how a hold stands, or why what was asked is refused. What comes late, twice or out of order changes nothing."""
        id_ = hex_id(message.hold_id)
        known, offer = self.all.get(id_), self.asker.offer(id_)
        release = self._answered(message)
        if offer is None:
            log.warning("report of no hold of ours", debtor_agent=message.debtor_agent, hold_id=message.hold_id)
            return
        if message.number == 0:
            self._refused(known, message, release)
            return
        agent = message.debtor_agent
        if agent is None or (known is not None and known.debtor_agent not in ("", agent)):
            self._of_another(message)
            return
        if known is None or message.number > known.number:
            known = self._take(known, offer, message)
        if known is None:
            self._of_another(message)
            return
        if known.state == AuthorisationState.HELD:
            self._rounds.end(known.id)  # From now on the other side tells.
        if release is not None:
            self._end_release(release, message)
        self._send(self._message(known))

    def consulted(self, consult: CodeConsult) -> bool:
        """
        Answer a consult of a link that asks to hold; False for every other code. May raise `Cold`.

        Refuses:  by telling the switch: CODE_ASKS_TO_HOLD, with what it asks for; HOLD_NOT_OPEN; CODE_UNKNOWN.
        """
        if not consult.code.startswith(self._own_links):
            return False
        try:
            plate = read_plate_id(consult.code[len(self._own_links) - 1 :])
            offer = self.asker.offer(plate.request_id)
            if offer is None:
                raise Refusal(CodeReason.CODE_UNKNOWN)
            if not offer.is_open:
                raise Refusal(HoldReason.HOLD_NOT_OPEN)
        except Refusal as refusal:
            self._send(_resolve(consult, refusal))
            return True
        asks = _resolve(consult, Refusal(CodeReason.CODE_ASKS_TO_HOLD))
        self._send(
            replace(
                asks,
                request_id=id_hex(offer.id),
                creditor_name=offer.creditor_name,
                amount=offer.amount,
                currency=offer.currency,
                remittance=offer.title,
                expires_at_ms=offer.expires_ns // NS_PER_MS,
            )
        )
        return True

    # Time.

    def tick(self) -> None:
        """Ask again; and, once a day, for what should be over by now."""
        now_ns = self._node.clock.now_ns()
        self._node.decide_each(partial(self._again, id_) for id_ in self._rounds.due(now_ns))
        self._node.decide_each(partial(self._let_go_again, id_) for id_ in self._release_rounds.due(now_ns))
        self._due_days.tick()

    async def _ask_due(self, day: int) -> None:
        """The end of these was not heard of: it is told no more once its debtor agent has been started anew."""
        for each in await warmed(self._node.journal, partial(self.all.find, "due_day", day)):
            self._rounds.begin(each.id, self._node.clock.now_ns())

    # Within a decision.

    def _take(self, known: Authorisation | None, offer: Offer, message: HoldReport) -> Authorisation | None:
        """The newest that is known of it; None: it is not what we asked for, or nobody wants it any more."""
        now_ns = self._node.clock.now_ns()
        if known is None:  # Somebody opened the link.
            if message.status is not HoldStatus.HELD:
                return None
            known = new_authorisation(offer, "", now_ns, 0)
        told = known.told(message, now_ns)
        match message.status:
            case HoldStatus.PENDING:
                pass
            case HoldStatus.REJECTED if known.state == AuthorisationState.ASKED:
                reason, iso_code = network_reason(message.reason_name, message.reason, HoldReason.HOLD_DECLINED)
                told = told.ended(AuthorisationState.REFUSED, now_ns, reason, iso_code)
            case HoldStatus.HELD if known.state == AuthorisationState.ASKED:
                if not offer.is_open or not _is_as_asked(offer, message):
                    return None
                told = _held(told, message)
            case HoldStatus.HELD if known.state != AuthorisationState.HELD:
                return None
            case HoldStatus.ENDED if known.state == AuthorisationState.ASKED:  # What was held came and went unheard.
                told = told.ended(AuthorisationState.REFUSED, now_ns, HoldReason.HOLD_NOT_OPEN.name, "NARR")
            case HoldStatus.ENDED | HoldStatus.REJECTED if known.state == AuthorisationState.HELD:
                told = told.ended(AuthorisationState.ENDED, now_ns)
        self.all.put(told)
        if not told.due_day:
            self._rounds.end(told.id)
        self.asker.changed(told)
        return told

    def _of_another(self, message: HoldReport) -> None:
        """What somebody holds for us that we do not want goes back; whatever else they say, we have heard it."""
        if message.debtor_agent is None:
            return
        heard = HoldRequest(
            hold_id=message.hold_id,
            creditor_agent=self._node.node_id,
            debtor_agent=message.debtor_agent,
            number=message.number,
            currency=message.currency,
            at_ms=self._node.clock.now_ns() // NS_PER_MS,
        )
        if message.status is HoldStatus.HELD:
            act_id = derive(hex_id(message.hold_id), f"{message.debtor_agent}/unwanted")
            heard = replace(heard, act=HoldAct.RELEASE, act_id=id_hex(act_id))
        self._send(heard)

    def _refused(self, known: Authorisation | None, message: HoldReport, release: Release | None) -> None:
        """Number 0: what was asked is refused, and of the hold itself nothing is said."""
        if release is not None:
            self._end_release(release, message)
        elif known is not None and known.state == AuthorisationState.ASKED and not known.number and not message.act_id:
            now_ns = self._node.clock.now_ns()
            reason, iso_code = network_reason(message.reason_name, message.reason, HoldReason.HOLD_DECLINED)
            refused = known.ended(AuthorisationState.REFUSED, now_ns, reason, iso_code)
            self.all.put(refused)
            self._rounds.end(refused.id)
            self.asker.changed(refused)

    def _answered(self, message: HoldReport) -> Release | None:
        """The release that a report answers, if it still waits."""
        if not message.act_id:
            return None
        release = self.releases.get(hex_id(message.act_id))
        if release is None or id_hex(release.authorisation_id) != message.hold_id:
            return None
        self.asker.look_up(release.id)
        return release if release.state == ReleaseState.WANTED else None

    def _end_release(self, release: Release, message: HoldReport) -> None:
        # Whatever the hold has come to, there is nothing left that everything could be let go of.
        refused = bool(message.reason_name) and bool(release.amount)
        reason, _ = network_reason(message.reason_name, message.reason, HoldReason.HOLD_EXCEEDED)
        state = ReleaseState.REFUSED if refused else ReleaseState.DONE
        ended = replace(release, state=state, reason=reason if refused else "")
        self.releases.put(ended)
        self._release_rounds.end(release.id)
        self.asker.released(ended)

    def _again(self, id_: int) -> None:
        known, now_ns = self.all.get(id_), self._node.clock.now_ns()
        if known is None or not known.due_day:
            self._rounds.end(id_)
            return
        if known.state == AuthorisationState.HELD:
            self._rounds.again(id_, now_ns)
            self._send(replace(self._message(known), number=0))
            return
        offer = self.asker.offer(id_)
        if offer is None or not offer.is_open:
            closed = known.ended(AuthorisationState.CLOSED, now_ns)
            self.all.put(closed)
            self._rounds.end(id_)
            return
        self._rounds.again(id_, now_ns)
        self._open(known)

    def _let_go_again(self, release_id: int) -> None:
        release = self.releases.get(release_id)
        if release is None or release.state != ReleaseState.WANTED:
            self._release_rounds.end(release_id)
            return
        authorisation = self.all.get(release.authorisation_id)
        assert authorisation is not None
        self._release_rounds.again(release_id, self._node.clock.now_ns())
        self._let_go(authorisation, release)

    def _open(self, known: Authorisation) -> None:
        message = self._message(known, act=HoldAct.OPEN)
        self._send(
            replace(
                message,
                amount=known.amount,
                creditor_name=known.creditor_name,
                remittance=known.title,
                expires_at_ms=known.expires_ns // NS_PER_MS,
            )
        )

    def _let_go(self, known: Authorisation, release: Release) -> None:
        message = self._message(known, act=HoldAct.RELEASE, act_id=id_hex(release.id))
        self._send(replace(message, amount=release.amount))

    def _message(self, known: Authorisation, act: HoldAct | None = None, act_id: str = "") -> HoldRequest:
        return HoldRequest(
            hold_id=id_hex(known.id),
            creditor_agent=self._node.node_id,
            debtor_agent=known.debtor_agent or None,
            number=known.number,
            act=act,
            act_id=act_id,
            currency=known.currency,
            code="" if known.debtor_agent else known.code,
            at_ms=self._node.clock.now_ns() // NS_PER_MS,
        )


def _held(told: Authorisation, message: HoldReport) -> Authorisation:
    """From now on it holds money; the code that was shown is used up."""
    return replace(
        told,
        state=AuthorisationState.HELD,
        code="",
        token=message.code,
        debtor_name=network_text("debtor_name", message.debtor_name),
        debtor_ref=network_text("debtor_ref", message.debtor_ref),
        # A little later than the debtor agent says: it is asked then, if it was silent.
        due_day=message.lapses_at_ms * NS_PER_MS // NS_PER_DAY + 1,
    )


def _is_as_asked(offer: Offer, message: HoldReport) -> bool:
    """Whether so much is held as was asked for, where whoever says so can be asked to pay."""
    named = message.code.startswith(f"{HOLD_PREFIX}{message.debtor_agent}:{message.hold_id}:")
    return named and (message.amount, message.currency) == (offer.amount, offer.currency)


def _resolve(consult: CodeConsult, refusal: Refusal) -> CodeResolve:
    return CodeResolve(
        consult_id=consult.consult_id,
        debtor_agent=consult.debtor_agent,
        status=ConsultStatus.REFUSED,
        reason=refusal.reason.iso_code,
        reason_name=refusal.reason.name,
    )

"""Running cases: the kit takes its place in the network, and each case gets what it plays with."""

import fnmatch
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# The lists of cases register themselves when they are imported; the order here is the order of the report.
from hutong.conformance import (  # noqa: F401  # For what importing them does.
    clearing_cases,
    complaint_cases,
    creditor_cases,
    debtor_cases,
    entry_cases,
    envelope_cases,
    hold_cases,
    operating_cases,
    recall_cases,
    request_cases,
    return_cases,
    routing_cases,
    settlement_cases,
    whole_cases,
)
from hutong.conformance.case import CASES, Case, Failed, Result, Side, Skipped, Verdict
from hutong.conformance.hook import Hook, HookRefused, NoHook
from hutong.conformance.identity import CAP, POOR_CAP, Identity
from hutong.conformance.messages import consult
from hutong.conformance.play import CodeBook, Fees, Moves, ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.station import Answer, Seat, Station
from hutong.conformance.wire import Peer, new_id

WORKERS = 12
_READY_S = 10.0
_ROLES = ("payer", "payee", "bystander", "poor")


class NotReady(Exception):  # noqa: N818  # A state of the other side, told in one line.
    """The other side can't be tested as it is; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is tested, and how the kit reaches it and is reached."""

    side: Side
    peer: Peer
    identity: Identity
    hook: Hook = field(default_factory=NoHook)
    plays: str = "switch"  # Before a participant: the node id of its switch.
    host: str = "127.0.0.1"
    port: int = 0
    address: str = ""  # Where the subject reaches the kit, if not at host and port.


Told = Callable[[Result], None]


def chosen(side: Side, patterns: Sequence[str] = ()) -> list[Case]:
    """The cases of a side; with patterns (`PC-*`), only those they fit."""
    return [
        case
        for case in CASES
        if case.side is side and (not patterns or any(fnmatch.fnmatchcase(case.id, each) for each in patterns))
    ]


def registrations(subject: Subject, address: str) -> list[dict[str, Any]]:
    """What the side under test must know of the kit."""
    identity = subject.identity
    if subject.side is Side.PARTICIPANT:
        return [identity.described(subject.plays, address)]
    caps = {"poor": POOR_CAP}
    return [
        identity.described(identity.node(role), address, forms=role == "payee", cap=caps.get(role, CAP))
        for role in _ROLES
    ]


def run(subject: Subject, cases: Iterable[Case], *, slow: bool = False, told: Told = lambda _: None) -> list[Result]:
    """Run the cases; `told` hears of each as it ends. Raises NotReady when the other side does not know the kit."""
    station = Station(subject.host, subject.port)
    station.open()
    try:
        with _playing(subject, station) as play_for:
            return list(_run_all(subject, list(cases), play_for, slow=slow, told=told))
    finally:
        station.close()


def _run_all(
    subject: Subject, cases: list[Case], play_for: Callable[[Result], Any], *, slow: bool, told: Told
) -> Iterator[Result]:
    offered = subject.hook.offers()

    def attempt(case: Case) -> Result:
        result = Result(case)
        missing = [verb for verb in case.needs if verb not in offered]
        if missing:
            result.why = f"needs the hook's {', '.join(missing)}"
        elif case.slow and not slow:
            result.why = "takes long; ask for it with --slow"
        else:
            _attempt(result, play_for)
        told(result)
        return result

    last = [case for case in cases if case.id.endswith("-ALL")]
    alone = [case for case in cases if case.alone and case not in last]
    together = [case for case in cases if not case.alone and case not in last]
    # The longest first: who waits for somebody to ask again waits beside all the others.
    together.sort(key=lambda case: "ASKS" not in case.id)
    with ThreadPoolExecutor(WORKERS, "case") as pool:
        results = {result.case.id: result for result in pool.map(attempt, together)}
    results |= {case.id: attempt(case) for case in (*alone, *last)}
    yield from (results[case.id] for case in cases)


def _attempt(result: Result, play_for: Callable[[Result], Any]) -> None:
    began = time.monotonic()
    try:
        result.case.run(play_for(result))
        result.verdict = Verdict.PASSED
    except Skipped as skipped:
        result.why = str(skipped)
    except Failed as failed:
        result.verdict, result.why = Verdict.FAILED, str(failed)
    except HookRefused as refused:
        result.verdict, result.why = Verdict.FAILED, f"the hook refused: {refused}"
    except Exception as error:  # noqa: BLE001  # One case that stumbles must not end the run.
        result.verdict, result.why = Verdict.FAILED, f"the kit stumbled: {type(error).__name__}: {error}"
    result.milliseconds = int(1000 * (time.monotonic() - began))


@contextmanager
def _playing(subject: Subject, station: Station) -> Iterator[Callable[[Result], Any]]:
    if subject.side is Side.PARTICIPANT:
        yield _before_participant(subject, station)
    else:
        yield _before_switch(subject, station)


def _before_participant(subject: Subject, station: Station) -> Callable[[Result], ParticipantPlay]:
    seat = station.seat(subject.plays, subject.identity.keys(subject.plays), subject.peer)
    codes = CodeBook("kit-payee")
    seat.responders.append(codes.answer)
    _until_known([seat], "kit-payer")
    return lambda result: ParticipantPlay(Moves(seat, result), subject.hook, codes, "kit-payer", "kit-payee")


def _before_switch(subject: Subject, station: Station) -> Callable[[Result], SwitchPlay]:
    identity = subject.identity
    seats = {}
    for role in _ROLES:
        node = identity.node(role)
        seats[role] = station.seat(node, identity.keys(node), subject.peer)
    if "admit" in subject.hook.offers():
        for each in registrations(subject, subject.address or station.url):
            subject.hook.ask("admit", **each)
    _until_known(list(seats.values()))
    fees = _fees(seats, identity)

    def play_for(result: Result) -> SwitchPlay:
        payer, payee, bystander, poor = (Moves(seats[role], result) for role in _ROLES)
        return SwitchPlay(payer, payee, bystander, poor, subject.hook, identity.forms, fees)

    return play_for


def _until_known(seats: list[Seat], debtor_agent: str = "") -> None:
    """Wait until the other side takes envelopes of each of ours: it may look at its registrations only now and then."""
    until = time.monotonic() + _READY_S
    for seat in seats:
        answer = Answer(0, b"")
        while answer.status != 202:
            code = "https://nobody.conformance.example/q/0"
            answer = seat.post(seat.seal([consult(code, debtor_agent or seat.node)]))
            if answer.status != 202 and time.monotonic() > until:
                raise NotReady(f"{seat.peer.url} does not take envelopes of {seat.node}: {answer}")
            if answer.status != 202:
                time.sleep(0.1)


def _fees(seats: dict[str, Seat], identity: Identity) -> Fees:
    """What the switch says it charges for a payment at a restaurant's plate."""
    asked = consult(identity.forms["payee"] + new_id(), seats["payer"].node)
    seats["payer"].post(seats["payer"].seal([asked]))
    if not seats["payee"].wait(asked["CnsltId"], is_a("hutong.consult"), count=1, within_s=_READY_S):
        raise NotReady("a consult of the kit's own code form does not come back to it: are its forms registered?")
    answer = {"MsgTp": "hutong.resolve", "CnsltId": asked["CnsltId"], "DbtrAgt": asked["DbtrAgt"]}
    answer |= {"CnsltSts": "FOUND", "CdtrNm": "Conformance", "MrchntCtgyCd": "5812", "PmtInfId": new_id()}
    seats["payee"].post(seats["payee"].seal([answer]))
    found = seats["payer"].wait(asked["CnsltId"], is_a("hutong.resolve"), count=1, within_s=_READY_S)
    if not found:
        raise NotReady("the answer to a consult does not come back to the kit")
    said = found[0].message
    return Fees(said.get("IntrchgBps", 0), said.get("SwtchChrgBps", 0), str(said.get("FeeVrsn", "")))

"""`hutong conform`: hold a participant, or a switch, to `docs/scheme`; whoever wrote it."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.kernel.errors import Kind, Reason, Refusal

if TYPE_CHECKING:
    from hutong.conformance.case import Case, Result
    from hutong.conformance.run import Subject, Told

_SIGNS = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]-[/]"}
_KEY_HEX = 64


class ConformReason(Reason):
    """Why the kit can't begin."""

    SIDE_MISSING = Kind.INVALID, "NARR"
    NODE_MISSING = Kind.INVALID, "NARR"
    KEY_MALFORMED = Kind.INVALID, "NARR"
    LISTEN_MALFORMED = Kind.INVALID, "NARR"
    CASE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    NOT_SET_UP = Kind.REFUSED, "NARR"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Under:
    """Who is tested, and how the kit and it reach each other."""

    participant: Annotated[str, Parameter(help="Where the participant under test takes messages.")] = ""
    switch: Annotated[str, Parameter(help="Where the switch under test takes messages.")] = ""
    node: Annotated[str, Parameter(help="Its node id.")] = ""
    key: Annotated[tuple[str, ...], Parameter(help="A key it signs with, key-id:hex; once for each.", negative="")] = ()
    hook: Annotated[str, Parameter(help="Its test hook, a URL (docs/scheme/conformance.md).")] = ""
    hutong_operator: Annotated[str, Parameter(help="A Hutong node: its operator's token, instead of a hook.")] = ""
    crash: Annotated[str, Parameter(help="A command that kills it as a power cut would and starts it again.")] = ""
    identity: Annotated[Path, Parameter(help="The file with the kit's keys; made if there is none.")] = Path(
        "conformance-kit.json"
    )
    plays: Annotated[str, Parameter(help="Before a participant: its switch's node id, which the kit plays.")] = "switch"
    listen: Annotated[str, Parameter(help="Where the kit listens.")] = "127.0.0.1:9200"
    address: Annotated[str, Parameter(help="Where it reaches the kit, if elsewhere: a URL.")] = ""


NOBODY = Under()


def conform(
    *,
    under: Under = NOBODY,
    prepare: Annotated[
        bool, Parameter(negative="", help="Print what it must know of the kit, and test nothing.")
    ] = False,
    list_: Annotated[bool, Parameter(name="--list", negative="", help="List the cases.")] = False,
    only: Annotated[tuple[str, ...], Parameter(help="Only cases that fit, as PC-* or PD-ASKS.", negative="")] = (),
    slow: Annotated[bool, Parameter(negative="", help="Also the cases that take minutes.")] = False,
    report: Annotated[
        Path | None, Parameter(help="A report: .xml for JUnit, .json with all messages, else text.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Run the scheme's cases against any implementation of a participant or a switch; 0 when none failed."""
    from hutong.conformance.case import Side
    from hutong.conformance.hook import HookRefused
    from hutong.conformance.report import as_json, summary
    from hutong.conformance.run import NotReady, chosen, registrations, run

    sides = [side for side, url in ((Side.PARTICIPANT, under.participant), (Side.SWITCH, under.switch)) if url]
    if list_:
        _list([case for side in sides or Side for case in chosen(side, only)], as_json=json)
        return 0
    if len(sides) != 1:
        raise Refusal(ConformReason.SIDE_MISSING, say="--participant URL or --switch URL")
    subject = _subject(sides[0], under, keyless=prepare)
    if prepare:
        _tell(registrations(subject, under.address or f"http://{under.listen}"), as_json=json)
        return 0
    cases = chosen(sides[0], only)
    if not cases:
        raise Refusal(ConformReason.CASE_UNKNOWN, only=", ".join(only), say="--list names them")
    try:
        results = run(subject, cases, slow=slow, told=_telling(quiet=json))
    except (NotReady, HookRefused) as error:
        raise Refusal(ConformReason.NOT_SET_UP, said=str(error), say="--prepare prints what it must know") from None
    if report is not None:
        _write(report, results, subject)
    if json:
        show_json(as_json(results, subject))
    else:
        _show(results)
    return 1 if summary(results)["failed"] else 0


def _subject(side: Any, under: Under, *, keyless: bool) -> "Subject":
    from hutong.conformance.adapters import HutongInstitution, HutongSwitch
    from hutong.conformance.case import Side
    from hutong.conformance.hook import CrashHook, Hook, HttpHook, NoHook
    from hutong.conformance.identity import read_identity
    from hutong.conformance.run import Subject
    from hutong.conformance.wire import Peer

    host, _, port = under.listen.rpartition(":")
    if not host or not port.isdecimal():
        raise Refusal(ConformReason.LISTEN_MALFORMED, listen=under.listen, say="as 127.0.0.1:9200")
    if not keyless and not (under.node and under.key):
        raise Refusal(ConformReason.NODE_MISSING, say="--node and --key of who is tested")
    url = under.participant or under.switch
    hook: Hook = NoHook()
    if under.hook:
        hook = HttpHook(under.hook)
    elif under.hutong_operator:
        adapter = HutongInstitution if side is Side.PARTICIPANT else HutongSwitch
        hook = adapter(url, under.hutong_operator)
    if under.crash:
        hook = CrashHook(hook, lambda: _run(under.crash))
    return Subject(
        side=side,
        peer=Peer(under.node, url, dict(map(_key, under.key))),
        identity=read_identity(under.identity),
        hook=hook,
        plays=under.plays,
        host=host,
        port=int(port),
        address=under.address,
    )


def _key(text: str) -> tuple[str, bytes]:
    key_id, _, public = text.partition(":")
    if not key_id or len(public) != _KEY_HEX or not set(public) <= set("0123456789abcdef"):
        raise Refusal(
            ConformReason.KEY_MALFORMED, key=text, say="key-id:64 hexadecimal digits, as `hutong keys` prints"
        )
    return key_id, bytes.fromhex(public)


def _run(command: str) -> None:
    subprocess.run(shlex.split(command), check=True, stdin=subprocess.DEVNULL)


def _tell(registrations: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json(registrations)
        return
    for each in registrations:
        stdout.print(f"[bold]{each['node']}[/] at {each['url']}")
        for key in each["keys"]:
            ended = "  valid until 1970: it must be refused" if key["key_id"].endswith("-ended") else ""
            stdout.print(f"  key   {key['key_id']}:{key['public_key']}{ended}")
        for form in each["forms"]:
            stdout.print(f"  form  {form}")
        if each["cap"]:
            stdout.print(f"  cap   {each['cap']} minor units of CNY")


def _list(cases: "list[Case]", *, as_json: bool) -> None:
    from hutong.conformance.report import described

    if as_json:
        show_json([described(case) for case in cases])
        return
    rows = [(case.id, case.title, ", ".join(case.needs), case.page) for case in cases]
    show_rows("", ("case", "what must be so", "needs", "page"), rows)


def _telling(*, quiet: bool) -> "Told":
    def told(result: "Result") -> None:
        stdout.print(f"{_SIGNS[result.verdict.value]} {result.case.id:17} {result.case.title}")

    return (lambda _: None) if quiet else told


def _show(results: "list[Result]") -> None:
    """What failed, with what was sent and what came; what was not proven; and the sum."""
    from hutong.conformance.case import Verdict
    from hutong.conformance.report import summary, trace_lines

    for result in results:
        if result.verdict is Verdict.FAILED:
            stdout.print(f"\n[bold red]{result.case.id}[/] {result.case.title}")
            stdout.print(f"  {result.case.page}: “{result.case.proves}”", markup=False)
            stdout.print(f"  {result.why}", markup=False, style="red")
            for line in trace_lines(result):
                stdout.print(f"    {line}", markup=False, style="dim")
    skipped = [result for result in results if result.verdict is Verdict.SKIPPED]
    if skipped:
        rows = [(result.case.id, result.why, result.case.title) for result in skipped]
        show_rows("Not proven", ("case", "why", "what must be so"), rows)
    counted = summary(results)
    stdout.print(f"\n{counted['passed']} passed, {counted['failed']} failed, {counted['skipped']} not proven")


def _write(path: Path, results: "list[Result]", subject: "Subject") -> None:
    from hutong.conformance import report

    if path.suffix == ".xml":
        path.write_bytes(report.as_junit(results, subject.peer.url))
    elif path.suffix == ".json":
        path.write_text(report.json_text(results, subject), encoding="utf-8")
    else:
        path.write_text(report.as_text(results, subject.peer.url), encoding="utf-8")

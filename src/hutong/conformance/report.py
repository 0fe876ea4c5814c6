"""What a run found, for machines: JSON with what was sent and what came, JUnit for build servers, and plain text."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from hutong.conformance.case import Case, Result, Verdict
from hutong.conformance.certificate import certificate
from hutong.conformance.run import Subject
from hutong.conformance.wire import VERSION, now_ms


def summary(results: Sequence[Result]) -> dict[str, int]:
    """How many passed, failed, were skipped."""
    counted = Counter(result.verdict for result in results)
    return {verdict.value: counted[verdict] for verdict in Verdict}


def as_json(results: Sequence[Result], subject: Subject) -> dict[str, Any]:
    """Everything; `certificate` is the part that is signed, and `cases` what stands behind it."""
    cases = [_told(result) for result in results]
    return {
        "subject": subject.peer.url,
        "certificate": certificate(results, subject, cases),
        "protocol_version": VERSION,
        "at_ms": now_ms(),
        "summary": summary(results),
        "cases": cases,
    }


def _told(result: Result) -> dict[str, Any]:
    return {
        **described(result.case),
        "verdict": result.verdict.value,
        "why": result.why,
        "milliseconds": result.milliseconds,
        "trace": result.trace,
    }


def described(case: Case) -> dict[str, Any]:
    """A case as it is listed."""
    return {
        "id": case.id,
        "title": case.title,
        "page": case.page,
        "proves": case.proves,
        "needs": list(case.needs),
        "slow": case.slow,
    }


def as_junit(results: Sequence[Result], subject: str) -> bytes:
    counted = summary(results)
    suite = ET.Element("testsuite", name=f"hutong conformance: {subject}", tests=str(len(results)))
    suite.set("failures", str(counted["failed"]))
    suite.set("skipped", str(counted["skipped"]))
    for result in results:
        case = ET.SubElement(suite, "testcase", name=f"{result.case.id} {result.case.title}")
        case.set("classname", f"docs/scheme/{result.case.page}")
        case.set("time", f"{result.milliseconds // 1000}.{result.milliseconds % 1000:03d}")
        if result.verdict is Verdict.FAILED:
            ET.SubElement(case, "failure", message=result.why).text = "\n".join(trace_lines(result))
        elif result.verdict is Verdict.SKIPPED:
            ET.SubElement(case, "skipped", message=result.why)
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def as_text(results: Sequence[Result], subject: str) -> str:
    """For people without a terminal that can do more."""
    lines = [f"Conformance of {subject}", ""]
    for result in results:
        lines.append(f"{result.verdict.value:8}{result.case.id:18}{result.case.title}")
        if result.verdict is not Verdict.PASSED:
            lines.append(f"{'':26}{result.why}")
        if result.verdict is Verdict.FAILED:
            lines.append(f"{'':26}{result.case.page}: {result.case.proves}")
            lines += [f"{'':26}{line}" for line in trace_lines(result)]
    lines += ["", ", ".join(f"{count} {verdict}" for verdict, count in summary(results).items())]
    return "\n".join(lines) + "\n"


def json_text(results: Sequence[Result], subject: Subject) -> str:
    return json.dumps(as_json(results, subject), ensure_ascii=False, indent=1) + "\n"


def trace_lines(result: Result) -> list[str]:
    """What was sent and what came, a line each."""
    return [
        f"{each['way']:5}{each['what'] if isinstance(each['what'], str) else json.dumps(each['what'], ensure_ascii=False)}"
        for each in result.trace
    ]

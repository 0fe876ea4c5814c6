"""Logs: JSON for machines, words for people, at the level that was asked for, with the node and the ids of what failed."""

import json
import logging
from collections.abc import Iterator
from functools import partial

import pytest
import structlog

from hutong.app.logs import configure_logs, logged_ends
from hutong.runtime.journal import named
from hutong.scheme.messages import StatusRequest

ID = 0x1234 << 64


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_each_line_is_json_with_the_node_and_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(form="json")
    structlog.contextvars.bind_contextvars(node="jing")
    structlog.get_logger().warning("messages dropped", peer="switch", count=3)
    logging.getLogger("asyncio").error("from a library %s", 7)
    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {"event": "messages dropped", "level": "warning", "node": "jing", "peer": "switch", "count": 3}
    assert (theirs["event"], theirs["level"], theirs["node"]) == ("from a library 7", "error", "jing")


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(form="json")
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("tick_failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: why" in json.loads(line)["exception"]


def test_people_read_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(form="console")
    structlog.get_logger().info("serving", node="jing")
    shown = capsys.readouterr().err
    assert "serving" in shown
    assert not shown.startswith("{")


def test_a_pipe_gets_json_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    structlog.get_logger().info("serving")
    assert json.loads(capsys.readouterr().err)["event"] == "serving"


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_levels_are_kept(level: str, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level=level, form="json")
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_what_ends_is_told_at_debug_alone(capsys: pytest.CaptureFixture[str]) -> None:
    ended = logged_ends("payment")
    configure_logs(level="info", form="json")
    ended(ID, 0, 5_000_000, True, "")
    assert capsys.readouterr().err == ""
    configure_logs(level="debug", form="json")
    ended(ID, 0, 5_000_000, False, "BALANCE_INSUFFICIENT")
    line = json.loads(capsys.readouterr().err)
    assert (line["id"], line["reason"], line["took_ms"]) == (f"{ID:032x}", "BALANCE_INSUFFICIENT", 5)


def test_what_failed_is_named_by_its_ids_and_not_by_its_content() -> None:
    request = StatusRequest(payment_id=f"{ID:032x}", originator="jing")
    told = named(partial(print, "switch", request))
    assert told == {"what": "print", "payment_id": f"{ID:032x}", "originator": "jing"}
    assert named(print) == {"what": "print"}

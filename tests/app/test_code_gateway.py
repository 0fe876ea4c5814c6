"""One-time codes on their way to a telephone: signed, tried again, and never shown where a gateway should be."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hutong.app.code_gateway import CodeGateway, GatewaySettings, read_gateway
from hutong.app.network import DEMO_NETWORK
from hutong.app.processes import toml_of
from hutong.app.serve import serve
from hutong.institution.notices.webhook import sign
from hutong.institution.people.one_time_code import Purpose
from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.outbound import Answer, NotAnswered
from hutong.runtime.settings import Settings
from hutong.runtime.tables import MemoryStore

PHONE, CODE, SECRET = "+8613800138000", "483915", b"s" * 32


@dataclass
class Texts:
    """The gateway: answers as told, then takes everything."""

    answers: list[int] = field(default_factory=list)  # A status; 0 for no answer.
    taken: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.taken.append((url, headers, body))
        status = self.answers.pop(0) if self.answers else 202
        if not status:
            raise NotAnswered("nobody there")
        return Answer(status)


async def at_once(_: float) -> None: ...


def gateway(texts: Texts) -> CodeGateway:
    clock, chance, store = ManualClock(), seeded_randomness(5), MemoryStore()
    node = NodeRuntime("jing", clock, chance, IdMint(clock, chance), MemoryJournal(store), store, run_now)
    return CodeGateway(node, GatewaySettings("https://texts.example/send", SECRET), texts, at_once)


def test_a_code_is_handed_over_signed() -> None:
    texts = Texts()
    sender = gateway(texts)
    sender.send(PHONE, Purpose.SIGN_IN, CODE)
    ((url, headers, body),) = texts.taken
    told: dict[str, Any] = json.loads(body)
    assert url == "https://texts.example/send"
    assert told.pop("id") == headers["webhook-id"]
    assert told == {"node": "jing", "phone": PHONE, "purpose": "SIGN_IN", "code": CODE, "expires_in_s": 300}
    timestamp_s = ManualClock().now_ns() // NS_PER_S
    assert headers["webhook-timestamp"] == str(timestamp_s)
    assert headers["webhook-signature"] == sign(SECRET, headers["webhook-id"], timestamp_s, body)
    assert (sender.sent, sender.waiting) == (1, 0)


@pytest.mark.parametrize("failures", [[0], [500], [503, 0]])
def test_a_failure_is_tried_again_under_the_same_id(failures: list[int]) -> None:
    texts = Texts([*failures])
    sender = gateway(texts)
    sender.send(PHONE, Purpose.SIGN_IN, CODE)
    assert len({headers["webhook-id"] for _, headers, _ in texts.taken}) == 1
    assert (len(texts.taken), sender.sent, sender.dropped) == (len(failures) + 1, 1, 0)


def test_what_can_not_be_handed_over_is_logged_without_code_or_number() -> None:
    sender = gateway(Texts([0, 500, 302]))
    with capture_logs() as logged:
        sender.send(PHONE, Purpose.SIGN_IN, CODE)
    assert (sender.sent, sender.dropped, sender.waiting) == (0, 1, 0)
    assert logged[0]["event"] == "one_time_code_not_sent"
    assert CODE not in str(logged)
    assert PHONE not in str(logged)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!", base64.b64encode(SECRET).decode()])
def test_a_secret_that_proves_nothing_is_refused(secret: str) -> None:
    with pytest.raises(Refusal, match="CODE_GATEWAY_SECRET_MALFORMED"):
        read_gateway("https://texts.example/send", secret)
    assert read_gateway("https://x.example/", "whsec_" + base64.b64encode(SECRET).decode()).secret == SECRET


async def test_an_institution_without_a_gateway_does_not_start_unless_it_is_said_to_be_for_development(
    tmp_path: Path,
) -> None:
    path = tmp_path / "network.toml"
    path.write_text(toml_of(DEMO_NETWORK))
    with pytest.raises(Refusal, match="CODE_GATEWAY_MISSING"):
        await serve(Settings(data_directory=tmp_path), path, "jing")

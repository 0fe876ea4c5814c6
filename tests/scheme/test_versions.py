"""Old nodes beside new ones: what was sent by the code of then is read by the code of now, and what is new does no harm there."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hutong.kernel.errors import Refusal
from hutong.scheme.envelope import decode_envelope

OLD = json.loads((Path(__file__).parents[1] / "vectors/messages-0.1.json").read_text())["vectors"]


def envelope(*messages: dict[str, Any], version: int = 1) -> bytes:
    told = {"Vrsn": version, "InstgAgt": "jing", "InstdAgt": "switch", "Msgs": messages}
    return json.dumps(told).encode()


def decoded(*messages: dict[str, Any]) -> list[Any]:
    return decode_envelope(envelope(*messages), sender="jing", recipient="switch")


@pytest.mark.parametrize("old", OLD, ids=lambda old: str(old["name"]))
def test_a_message_of_the_first_release_is_read(old: dict[str, Any]) -> None:
    (message,) = decoded(old["message"])
    told = json.loads(msgspec.json.encode(message))
    assert {name: told[name] for name in old["message"]} == old["message"], "nothing of it is lost or renamed"


@pytest.mark.parametrize("old", OLD, ids=lambda old: str(old["name"]))
def test_a_field_of_a_later_release_is_ignored(old: dict[str, Any]) -> None:
    assert decoded(old["message"] | {"OfALaterRelease": {"a": [1]}}) == decoded(old["message"])


def test_a_type_of_a_later_release_is_refused_by_its_place_so_that_the_others_can_be_sent_again() -> None:
    with pytest.raises(Refusal, match="MESSAGE_MALFORMED") as refused:
        decoded(OLD[0]["message"], {"MsgTp": "camt.999"})
    assert refused.value.facts["message"] == 1


def test_a_version_that_is_not_spoken_is_refused_by_name_with_the_one_that_is() -> None:
    with pytest.raises(Refusal, match="VERSION_NOT_SPOKEN") as refused:
        decode_envelope(envelope(OLD[0]["message"], version=2), sender="jing", recipient="switch")
    assert refused.value.facts == {"version": 2, "spoken": 1}

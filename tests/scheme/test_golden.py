"""The contract in `docs/scheme` says what the code does: examples byte for byte, every field, every reason."""

import base64
import json
import re
from typing import Any, get_args

import msgspec
import pytest
from nacl.signing import SigningKey, VerifyKey

from hutong.scheme.envelope import SchemeReason
from hutong.scheme.messages import AnyMessage
from hutong.switch.reason import SwitchReason
from tests.scheme.examples import EXAMPLES, envelopes, files, signed_envelope, verdict

DOCS = EXAMPLES.parent
TYPES = get_args(AnyMessage)


def tag(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


@pytest.mark.parametrize("name", files())
def test_an_example_is_what_the_code_writes(name: str) -> None:
    assert (EXAMPLES / name).read_bytes() == files()[name]


def test_there_are_no_other_examples() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(files())


@pytest.mark.parametrize("message", TYPES, ids=tag)
def test_an_example_reads_back_as_what_it_was_written_from(message: type[msgspec.Struct]) -> None:
    content = (EXAMPLES / f"{tag(message)}.json").read_bytes()
    read = msgspec.json.decode(content, type=AnyMessage)
    assert type(read) is message
    assert msgspec.json.format(msgspec.json.encode(read), indent=2) + b"\n" == content


def test_the_worked_signature_follows_from_its_description_alone() -> None:
    """As a stranger would write it, from transport.md and nothing else."""
    example = json.loads((EXAMPLES / "signed-envelope.json").read_text())
    told = {name.removeprefix("hutong-"): value for name, value in example["headers"].items()}
    lines = ["hutong-envelope", told["version"], example["method"], example["path"]]
    lines += [f"{told['sender']} {told['recipient']}", told["key-id"], told["timestamp"], told["nonce"]]
    data = "".join(line + "\n" for line in lines) + example["body"]
    assert data == example["signed_bytes"]
    key = SigningKey(bytes.fromhex(example["seed_hex"]))
    assert bytes(key.verify_key).hex() == example["public_key_hex"]
    signature = base64.b64decode(told["signature"])
    assert key.sign(data.encode()).signature == signature
    VerifyKey(bytes.fromhex(example["public_key_hex"])).verify(data.encode(), signature)


def test_transport_md_shows_the_worked_example() -> None:
    text = (DOCS / "transport.md").read_text()
    example = signed_envelope()
    for name, value in example["headers"].items():
        assert f"{name}: {value}" in text.lower() or f": {value}\n" in text, name
    assert example["body"] in text
    assert f"Content-Length: {len(example['body'])}\n" in text
    assert example["public_key_hex"] in text
    rows = re.findall(r"^((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2,}.*)?$", text, flags=re.MULTILINE)
    assert example["signed_bytes"].encode().startswith(bytes.fromhex("".join(rows)))


@pytest.mark.parametrize(("what", "headers", "body"), envelopes())
def test_an_envelope_gets_the_answer_its_description_promises(what: str, headers: Any, body: bytes) -> None:
    assert (verdict(headers, body) == "OK") == (what.startswith("good") or what == "a field nobody knows yet")


def documented(name: str) -> dict[str, str]:
    """The fields of one message's table in messages.md: what they need."""
    text = (DOCS / "messages.md").read_text()
    section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]* \| [^|]+ \|$", section, flags=re.MULTILINE)
    assert len(rows) == section.count("\n| `"), "a row of the table is out of shape"
    return {field: need.strip() for field, _, need in rows}


@pytest.mark.parametrize("message", TYPES, ids=tag)
def test_every_field_is_documented_with_its_default(message: type[msgspec.Struct]) -> None:
    fields = msgspec.structs.fields(message)
    wanted = {}
    for field in fields:
        default = msgspec.to_builtins(field.default) if field.default is not msgspec.NODEFAULT else None
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        wanted[field.encode_name] = "must" if field.required else f"may: {_spoken(default)}"
    assert {name: need.replace("`", "") for name, need in documented(tag(message)).items()} == wanted


def _spoken(default: Any) -> str:
    if default in ("", {}):
        return "empty"
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    return "zeros" if default == "0" * 32 else str(default)


def test_every_reason_of_the_scheme_is_documented() -> None:
    text = (DOCS / "reasons.md").read_text()
    for reason in SchemeReason:
        assert re.search(rf"^\| `{reason.name}` \| {reason.kind.value} \|", text, flags=re.MULTILINE), reason.name


def test_the_links_between_the_pages_lead_somewhere() -> None:
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (DOCS / target).exists(), f"{page.name}: {target}"


def test_nothing_is_documented_that_is_not_there() -> None:
    text = (DOCS / "messages.md").read_text()
    assert set(re.findall(r"^## (\S+)$", text, flags=re.MULTILINE)) == {tag(message) for message in TYPES}


def test_what_is_said_of_the_switchs_reasons_is_so() -> None:
    text = (DOCS / "reasons.md").read_text().split("## What the switch says")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, flags=re.MULTILINE))
    assert told.items() <= {reason.name: reason.iso_code for reason in SwitchReason}.items()
    assert len(told) > 15

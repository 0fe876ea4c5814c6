"""Secrets at rest: a copy of the disk is worth nothing without the key that is somewhere else."""

from pathlib import Path

import msgspec
import pytest

from hutong.app.sealed_file import SealReason, is_sealed, seal, unseal
from hutong.app.secrets import (
    Renewable,
    add_signing_key,
    change_secrets_key,
    node_secrets,
    read_operator_token,
    renew_secret,
    secrets_are_sealed,
)
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness

KEY, OTHER = "5a" * 32, "6b" * 32
PASSPHRASE = "correct horse battery staple"
CHANCE = seeded_randomness(11)


@pytest.mark.parametrize("key", [KEY, PASSPHRASE])
def test_what_is_sealed_opens_with_its_key_alone(key: str) -> None:
    sealed = seal(b"the secret", "jing", key, CHANCE)
    assert is_sealed(sealed)
    assert b"the secret" not in sealed
    assert unseal(sealed, "jing", key) == b"the secret"
    for node, wrong in (("jing", OTHER), ("jing", PASSPHRASE + "r"), ("wei", key)):
        with pytest.raises(Refusal) as refused:
            unseal(sealed, node, wrong)
        assert refused.value.reason is SealReason.SECRETS_KEY_WRONG
    with pytest.raises(Refusal, match="SECRETS_KEY_MISSING"):
        unseal(sealed, "jing", "")


def test_a_weak_passphrase_seals_nothing() -> None:
    with pytest.raises(Refusal, match="SECRETS_KEY_WEAK"):
        seal(b"x", "jing", "fifteen letters", CHANCE)


def test_every_changed_byte_is_found() -> None:
    sealed = seal(b"the secret", "jing", KEY, CHANCE)
    for offset in range(len(sealed)):
        changed = sealed[:offset] + bytes([sealed[offset] ^ 1]) + sealed[offset + 1 :]
        try:
            assert (
                unseal(changed, "jing", KEY) == b"the secret"
            )  # A space, or the name of the node outside of what is sealed.
        except Refusal as refusal:
            assert isinstance(refusal.reason, SealReason)  # noqa: PT017  # Both are right.


def test_a_plain_file_is_sealed_when_it_is_next_read_with_a_key(tmp_path: Path) -> None:
    made = node_secrets(tmp_path, "jing", CHANCE)
    assert not secrets_are_sealed(tmp_path, "jing")
    assert node_secrets(tmp_path, "jing", CHANCE, KEY) == made
    assert secrets_are_sealed(tmp_path, "jing")
    path = tmp_path / "secrets" / "jing.json"
    assert made.operator_token.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert node_secrets(tmp_path, "jing", CHANCE, KEY) == made
    assert read_operator_token(tmp_path, "jing") == ""
    assert read_operator_token(tmp_path, "jing", KEY) == made.operator_token
    with pytest.raises(Refusal, match="SECRETS_KEY_MISSING"):
        node_secrets(tmp_path, "jing", CHANCE)
    assert add_signing_key(tmp_path, "jing", CHANCE, 7, KEY).pin_pepper == made.pin_pepper
    assert secrets_are_sealed(tmp_path, "jing")


def test_the_key_changes_and_the_old_one_opens_nothing(tmp_path: Path) -> None:
    made = node_secrets(tmp_path, "jing", CHANCE, KEY)
    change_secrets_key(tmp_path, "jing", CHANCE, KEY, PASSPHRASE)
    assert node_secrets(tmp_path, "jing", CHANCE, PASSPHRASE) == made
    with pytest.raises(Refusal, match="SECRETS_KEY_WRONG"):
        node_secrets(tmp_path, "jing", CHANCE, KEY)
    change_secrets_key(tmp_path, "jing", CHANCE, PASSPHRASE, "")
    assert node_secrets(tmp_path, "jing", CHANCE) == made


@pytest.mark.parametrize("what", list(Renewable))
def test_renewing_one_secret_keeps_the_others(tmp_path: Path, what: Renewable) -> None:
    made = node_secrets(tmp_path, "jing", CHANCE, KEY)
    renewed = renew_secret(tmp_path, "jing", CHANCE, what, KEY)
    assert node_secrets(tmp_path, "jing", CHANCE, KEY) == renewed
    was, now = msgspec.structs.asdict(made), msgspec.structs.asdict(renewed)
    changed = {name for name in was if was[name] != now[name]}
    field = what.value.replace("-", "_")
    assert changed == {field} | ({f"older_{field}s"} if f"older_{field}s" in was else set())
    assert now.get(f"older_{field}s", (was[field],)) == (was[field],)


def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    node_secrets(tmp_path, "jing", CHANCE)
    path = tmp_path / "secrets" / "jing.json"
    for content in (b"", b"{}", b"[]", b'{"sealed":"2"}', b"\xff"):
        path.write_bytes(content)
        with pytest.raises(Refusal, match="SECRETS_UNREADABLE"):
            node_secrets(tmp_path, "jing", CHANCE, KEY)

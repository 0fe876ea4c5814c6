"""A node's secrets: made once, closed to others, and keys that change without a halt."""

from pathlib import Path

import msgspec

from hutong.app.secrets import NodeSecrets, add_signing_key, node_secrets
from hutong.app.serve import public_keys
from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.ids import seeded_randomness
from hutong.scheme.signature import KeyRing, ReplayGuard, Signer, Verifier


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    made = node_secrets(tmp_path, "jing", seeded_randomness(1))
    assert node_secrets(tmp_path, "jing", seeded_randomness(2)) == made
    assert node_secrets(tmp_path, "wei", seeded_randomness(2)).token_key != made.token_key
    path = tmp_path / "secrets" / "jing.json"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert "sealing" not in repr(made)


def test_another_key_keeps_the_other_secrets(tmp_path: Path) -> None:
    made = node_secrets(tmp_path, "jing", seeded_randomness(1))
    changed = add_signing_key(tmp_path, "jing", seeded_randomness(2), 7)
    assert [key.key_id for key in changed.signing_keys] == ["jing-1", "jing-2"]
    assert msgspec.structs.replace(changed, signing_keys=made.signing_keys) == made
    assert node_secrets(tmp_path, "jing", seeded_randomness(3)) == changed
    assert [key.partition(":")[0] for key in public_keys(changed)] == ["jing-1", "jing-2"]


def signs_with(secrets: NodeSecrets, clock: ManualClock) -> bytes:
    keys = [key.secret() for key in secrets.signing_keys]
    headers = Signer("jing", keys, clock, seeded_randomness(4)).sign("switch", "POST", "/scheme/v1/messages", b"{}")
    ring = KeyRing([key.public() for key in keys])
    verifier = Verifier("switch", lambda _: ring, clock, ReplayGuard(clock.now_ns()))
    assert verifier.verify(headers, "POST", "/scheme/v1/messages", b"{}") == "jing"
    return headers[b"hutong-key-id"]


def test_a_node_changes_to_its_new_key_when_that_begins(tmp_path: Path) -> None:
    clock = ManualClock()
    node_secrets(tmp_path, "jing", seeded_randomness(1))
    secrets = add_signing_key(tmp_path, "jing", seeded_randomness(2), clock.now_ns() + 60 * NS_PER_S)
    clock.advance(seconds=59)
    assert signs_with(secrets, clock) == b"jing-1"
    clock.advance(seconds=1)
    assert signs_with(secrets, clock) == b"jing-2"

"""
A node's secrets: made when the node is first started, kept in one file that only its owner may read.

They are not settings: nobody chooses them. Losing the file loses PINs, sessions and the node's place at the
switch, so it belongs in the backup, apart from the database's.
"""

import os
from pathlib import Path

import msgspec

from hutong.kernel.ids import Randomness
from hutong.scheme.signature import SecretKey

KEY_FOR_EVER_NS = 2**62  # The year 2116: a key lives until it is retired.


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for messages to other nodes; while a node changes from one to the next it has both."""

    key_id: str
    seed: bytes  # Ed25519, RFC 8032.
    valid_from_ns: int
    valid_until_ns: int

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    def secret(self) -> SecretKey:
        """As the scheme signs with it."""
        return SecretKey(self.key_id, self.seed, self.valid_from_ns, self.valid_until_ns)


class NodeSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node must keep to itself. Bytes are base64 in the file."""

    signing_keys: tuple[SigningKey, ...]
    token_key: bytes
    pin_pepper: bytes
    sealing_key: bytes
    payment_code_key: bytes
    merchant_pepper: bytes
    operator_token: str

    def __repr__(self) -> str:
        return "NodeSecrets(...)"


def node_secrets(directory: Path, node_id: str, randomness: Randomness) -> NodeSecrets:
    """The node's secrets from `<directory>/secrets/<node>.json`, made and written if there are none yet."""
    path = _path(directory, node_id)
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=NodeSecrets)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secrets = NodeSecrets(
        signing_keys=(_signing_key(f"{node_id}-1", randomness),),
        token_key=randomness.randbytes(32),
        pin_pepper=randomness.randbytes(32),
        sealing_key=randomness.randbytes(32),
        payment_code_key=randomness.randbytes(32),
        merchant_pepper=randomness.randbytes(32),
        operator_token="op_" + randomness.randbytes(24).hex(),
    )
    _write(path, secrets)
    return secrets


def add_signing_key(directory: Path, node_id: str, randomness: Randomness, valid_from_ns: int) -> NodeSecrets:
    """
    Give the node one more key, which signs from an instant on; those it has stay valid until the switch retires them.

    So keys change without a halt: make the new one, let the switch know it, restart the node before it begins.
    """
    known = node_secrets(directory, node_id, randomness)
    fresh = _signing_key(f"{node_id}-{len(known.signing_keys) + 1}", randomness, valid_from_ns)
    secrets = msgspec.structs.replace(known, signing_keys=(*known.signing_keys, fresh))
    _write(_path(directory, node_id), secrets)
    return secrets


def _path(directory: Path, node_id: str) -> Path:
    return directory / "secrets" / f"{node_id}.json"


def _signing_key(key_id: str, randomness: Randomness, valid_from_ns: int = 0) -> SigningKey:
    seed = randomness.randbytes(32)
    return SigningKey(key_id=key_id, seed=seed, valid_from_ns=valid_from_ns, valid_until_ns=KEY_FOR_EVER_NS)


def _write(path: Path, secrets: NodeSecrets) -> None:
    """Complete before it has its name: a crash leaves no half of it."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    with fresh.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(secrets), indent=2))
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def read_operator_token(directory: Path, node_id: str) -> str:
    """The operator's token of a node of this machine, or nothing for who may not read it."""
    try:
        data = (directory / "secrets" / f"{node_id}.json").read_bytes()
    except OSError:
        return ""
    return msgspec.json.decode(data, type=NodeSecrets).operator_token

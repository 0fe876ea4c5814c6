"""
A node's secrets: made when the node is first started, kept in one file that only its owner may read.

They are not settings: nobody chooses them. Losing the file loses PINs, sessions and the node's place at the
switch, so it belongs in the backup, apart from the database's. Where the settings have a key for it the file is sealed
(`sealed_file`); one that was made before there was a key is sealed when it is next read.
"""

import os
from enum import Enum
from pathlib import Path

import msgspec

from hutong.app.sealed_file import SealReason, is_sealed, seal, unseal
from hutong.kernel.errors import Refusal
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
    """Everything a node must keep to itself. Bytes are base64 in the file. Older ones still open, and make nothing new."""

    signing_keys: tuple[SigningKey, ...]
    token_key: bytes
    pin_pepper: bytes
    sealing_key: bytes
    payment_code_key: bytes
    merchant_pepper: bytes
    operator_token: str
    older_pin_peppers: tuple[bytes, ...] = ()
    older_sealing_keys: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return "NodeSecrets(...)"


class Renewable(Enum):
    """What can be replaced, and what that costs."""

    OPERATOR_TOKEN = "operator-token"  # noqa: S105  # The old one is good no more.
    PIN_PEPPER = "pin-pepper"  # PINs stay good: each gets the new one when it is next typed right.
    SEALING_KEY = "sealing-key"  # What is sealed stays readable; what is sealed anew is under the new one.
    TOKEN_KEY = "token-key"  # noqa: S105  # Ends all sessions, one-time codes and mandates.


def node_secrets(directory: Path, node_id: str, randomness: Randomness, key: str = "") -> NodeSecrets:
    """
    The node's secrets from `<directory>/secrets/<node>.json`, made and written if there are none yet.

    `key` is what the file is sealed with; without one it is written plain, for a laptop.

    Refuses:  SECRETS_UNREADABLE, SECRETS_KEY_MISSING, SECRETS_KEY_WRONG, SECRETS_KEY_WEAK.
    """
    path = secrets_path(directory, node_id)
    if path.exists():
        data = path.read_bytes()
        secrets = _read(data, node_id, key)
        if key and not is_sealed(data):
            _write(path, node_id, secrets, randomness, key)
        return secrets
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secrets = NodeSecrets(
        signing_keys=(_signing_key(f"{node_id}-1", randomness),),
        token_key=randomness.randbytes(32),
        pin_pepper=randomness.randbytes(32),
        sealing_key=randomness.randbytes(32),
        payment_code_key=randomness.randbytes(32),
        merchant_pepper=randomness.randbytes(32),
        operator_token=_operator_token(randomness),
    )
    _write(path, node_id, secrets, randomness, key)
    return secrets


def add_signing_key(
    directory: Path, node_id: str, randomness: Randomness, valid_from_ns: int, key: str = ""
) -> NodeSecrets:
    """
    Give the node one more key, which signs from an instant on; those it has stay valid until the switch retires them.

    So keys change without a halt: make the new one, let the switch know it, restart the node before it begins.
    """
    known = node_secrets(directory, node_id, randomness, key)
    fresh = _signing_key(f"{node_id}-{len(known.signing_keys) + 1}", randomness, valid_from_ns)
    secrets = msgspec.structs.replace(known, signing_keys=(*known.signing_keys, fresh))
    _write(secrets_path(directory, node_id), node_id, secrets, randomness, key)
    return secrets


def renew_secret(directory: Path, node_id: str, randomness: Randomness, what: Renewable, key: str = "") -> NodeSecrets:
    """Replace one secret; the node takes it up when it starts again."""
    known = node_secrets(directory, node_id, randomness, key)
    fresh = randomness.randbytes(32)
    match what:
        case Renewable.OPERATOR_TOKEN:
            secrets = msgspec.structs.replace(known, operator_token=_operator_token(randomness))
        case Renewable.PIN_PEPPER:
            older = (known.pin_pepper, *known.older_pin_peppers)
            secrets = msgspec.structs.replace(known, pin_pepper=fresh, older_pin_peppers=older)
        case Renewable.SEALING_KEY:
            older = (known.sealing_key, *known.older_sealing_keys)
            secrets = msgspec.structs.replace(known, sealing_key=fresh, older_sealing_keys=older)
        case Renewable.TOKEN_KEY:
            secrets = msgspec.structs.replace(known, token_key=fresh)
    _write(secrets_path(directory, node_id), node_id, secrets, randomness, key)
    return secrets


def change_secrets_key(directory: Path, node_id: str, randomness: Randomness, key: str, new_key: str) -> None:
    """Seal the file under another key; with none, write it plain. Refuses as `node_secrets`."""
    secrets = node_secrets(directory, node_id, randomness, key)
    _write(secrets_path(directory, node_id), node_id, secrets, randomness, new_key)


def secrets_are_sealed(directory: Path, node_id: str) -> bool:
    """Whether who copies the disk has nothing yet."""
    return is_sealed(secrets_path(directory, node_id).read_bytes())


def read_operator_token(directory: Path, node_id: str, key: str = "") -> str:
    """The operator's token of a node of this machine, or nothing for who may not read it."""
    try:
        return _read(secrets_path(directory, node_id).read_bytes(), node_id, key).operator_token
    except (OSError, Refusal):
        return ""


def secrets_path(directory: Path, node_id: str) -> Path:
    """Where a node's secrets are."""
    return directory / "secrets" / f"{node_id}.json"


def _operator_token(randomness: Randomness) -> str:
    return "op_" + randomness.randbytes(24).hex()


def _signing_key(key_id: str, randomness: Randomness, valid_from_ns: int = 0) -> SigningKey:
    seed = randomness.randbytes(32)
    return SigningKey(key_id=key_id, seed=seed, valid_from_ns=valid_from_ns, valid_until_ns=KEY_FOR_EVER_NS)


def _read(data: bytes, node_id: str, key: str) -> NodeSecrets:
    if is_sealed(data):
        data = unseal(data, node_id, key)
    try:
        return msgspec.json.decode(data, type=NodeSecrets)
    except msgspec.DecodeError as error:
        raise Refusal(SealReason.SECRETS_UNREADABLE, node=node_id, said=str(error)) from None


def _write(path: Path, node_id: str, secrets: NodeSecrets, randomness: Randomness, key: str) -> None:
    """Complete before it has its name: a crash leaves no half of it."""
    data = msgspec.json.format(msgspec.json.encode(secrets), indent=2)
    if key:
        data = seal(data, node_id, key, randomness)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)

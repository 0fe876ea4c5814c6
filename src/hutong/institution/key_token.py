"""
The tokens of keys that programs call us with: how one is made, how its key is found by it, and what is kept of it.

Staff keys are such, and so are those of sponsors. The token itself is nowhere kept.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id

SECRET_BYTES = 32
CALLERS_ID_LENGTH_MAX = 64
SHOWN_AGAIN_NS = 600 * NS_PER_S  # How long a caller who lost the answer may ask for the token again.
_SECRET_LETTERS = 43
_ID_LETTERS = 26
_VERIFIED_MAX = 10_000


class Keyed(Protocol):
    """A version of a key."""

    @property
    def id(self) -> int: ...
    @property
    def token_hash(self) -> bytes: ...
    @property
    def rotated_ns(self) -> int: ...
    @property
    def revoked_ns(self) -> int: ...
    @property
    def rotation_id(self) -> str: ...


Key = TypeVar("Key", bound=Keyed)


@dataclass(frozen=True, slots=True)
class KeyTokens:
    """
    Tokens of one kind of keys: `<prefix>_`, the key's id and its secret. The id finds the row, so that a guessed token costs
    one look-up by key. `kind` keeps the hashes of one kind apart from another's under the same pepper.
    """

    pepper: bytes = field(repr=False)
    prefix: str
    kind: str
    _verified: dict[str, tuple[int, bytes]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        assert len(self.pepper) >= 16, "keys are only as secret as the pepper"

    def derived_secret(self, key: Keyed) -> bytes:
        """
        The secret of a key whose caller gave an id for it: the same again from the row and the pepper, and from nothing less.

        A rotation's instant is in it, so that a late repeat of an earlier rotation never brings a dead token back.
        """
        made = f"{key.id:032x}/{key.rotated_ns}/{key.rotation_id}".encode()
        return hmac.digest(self.pepper, f"{self.kind} secret/".encode() + made, "sha256")

    def token(self, key_id: int, secret: bytes) -> str:
        """What the caller is told, once."""
        assert len(secret) == SECRET_BYTES
        return f"{id_text(self.prefix, key_id)}_{urlsafe_b64encode(secret).rstrip(b'=').decode()}"

    def hashed(self, token: str) -> bytes:
        """What is kept of a token: worthless without the node's pepper. The secret is random, so no slow hash is needed."""
        person = f"hutong {self.kind}".encode()
        return hashlib.blake2b(token.encode(), key=self.pepper, digest_size=32, person=person).digest()

    def whose(self, token: str, found: Callable[[int], Key | None]) -> Key:
        """The key whose token this is; `found` looks an id up. Refuses KEY_NOT_ACCEPTED, KEY_REVOKED; may raise `Cold`."""
        key_id, hashed = self._verified.get(token) or (self._key_id(token), self.hashed(token))
        key = found(key_id)
        if key is None or not hmac.compare_digest(key.token_hash, hashed):
            raise Refusal(MerchantReason.KEY_NOT_ACCEPTED)
        if key.revoked_ns:
            raise Refusal(MerchantReason.KEY_REVOKED)
        if token not in self._verified:
            if len(self._verified) >= _VERIFIED_MAX:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = key_id, hashed
        return key

    def shown_again(self, key: Keyed, now_ns: int) -> str:
        """The token once more, for who lost the answer a moment ago; nothing later, or of a key that was ended."""
        if key.revoked_ns or now_ns >= key.rotated_ns + SHOWN_AGAIN_NS:
            return ""
        token = self.token(key.id, self.derived_secret(key))
        return token if hmac.compare_digest(key.token_hash, self.hashed(token)) else ""

    def _key_id(self, token: str) -> int:
        """The id of the key that `token` says it is. Refuses KEY_NOT_ACCEPTED whatever is wrong with its shape."""
        length = len(self.prefix) + 1 + _ID_LETTERS + 1 + _SECRET_LETTERS
        if len(token) != length or not token.isascii() or token[-_SECRET_LETTERS - 1] != "_":
            raise Refusal(MerchantReason.KEY_NOT_ACCEPTED)
        try:
            return parse_id(self.prefix, token[: -_SECRET_LETTERS - 1])
        except Refusal:
            raise Refusal(MerchantReason.KEY_NOT_ACCEPTED) from None

"""SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, without channel binding: how we enter PostgreSQL."""

import base64
import hashlib
import hmac
from collections.abc import Collection

from hutong.kernel.ids import system_randomness

MECHANISM = b"SCRAM-SHA-256"
_GS2_HEADER = b"n,,"  # No channel binding, no other identity. PostgreSQL takes the user of the startup message.
_ITERATIONS_MAX = 1_000_000


class ScramFailed(Exception):  # noqa: N818  # Named as the others of its family.
    """The exchange broke: the server could not show that it knows the password, or spoke otherwise."""


class ScramClient:
    """One exchange: `first`, `final`, `verify`, in this order."""

    def __init__(self, password: str, nonce: bytes | None = None) -> None:
        # PostgreSQL passes through SASLprep only what it can; an ASCII password is unchanged by it.
        self._password = password.encode()
        self._nonce = nonce or base64.b64encode(system_randomness().randbytes(18))
        self._first_bare = b"n=,r=" + self._nonce
        self._server_signature = b""
        self._state = "new"

    def first(self, mechanisms: Collection[bytes]) -> bytes:
        """The SASLInitialResponse to the server's list of mechanisms."""
        self._expect("new", "first")
        if MECHANISM not in mechanisms:
            raise ScramFailed("the server does not offer SCRAM-SHA-256")
        if not self._password:
            raise ScramFailed("the server asks for a password, and there is none in the database URL")
        response = _GS2_HEADER + self._first_bare
        return MECHANISM + b"\0" + len(response).to_bytes(4, "big") + response

    def final(self, server_first: bytes) -> bytes:
        """The client-final-message: proof that we know the password, bound to both nonces."""
        self._expect("first", "final")
        fields = _fields(server_first)
        nonce, salt = fields.get("r", b""), fields.get("s", b"")
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramFailed("the server's nonce is not an extension of ours")
        iterations = int(fields["i"]) if fields.get("i", b"").isdigit() else 0
        if not 0 < iterations <= _ITERATIONS_MAX:
            raise ScramFailed("the server's iteration count is out of range")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, _decoded(salt), iterations)
        without_proof = b"c=" + base64.b64encode(_GS2_HEADER) + b",r=" + nonce
        message = b",".join((self._first_bare, server_first, without_proof))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._server_signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return without_proof + b",p=" + base64.b64encode(proof)

    def verify(self, server_final: bytes) -> None:
        """Check that the server knows the password, too: otherwise anybody could play the database."""
        self._expect("final", "verified")
        told = _decoded(_fields(server_final).get("v", b""))
        if not hmac.compare_digest(told, self._server_signature):
            raise ScramFailed("the server does not know the password")

    def assert_finished(self) -> None:
        """
        The server lets us in: the exchange is complete, or there is no password (peer authentication).

        Whoever has a password and is let in without it may be talking to somebody else.
        """
        if self._state != "verified" and (self._password or self._state != "new"):
            raise ScramFailed("the server lets us in without proof that it knows the password of the database URL")

    def _expect(self, state: str, then: str) -> None:
        if self._state != state:
            raise ScramFailed("the server's messages are out of order")
        self._state = then


def _fields(message: bytes) -> dict[str, bytes]:
    return {part[:1].decode(errors="replace"): part[2:] for part in message.split(b",")}


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ScramFailed("the server's base64 is malformed") from error

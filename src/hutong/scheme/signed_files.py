"""A node's own files at the switch, over HTTP: asked for with a signature, as an envelope with an empty body has one."""

from collections.abc import AsyncIterator

import httpx
import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.http import Problem
from hutong.scheme.clearing_file import clearing_path
from hutong.scheme.envelope import SchemeReason
from hutong.scheme.peer import PeerBook
from hutong.scheme.signature import Signer

_TIMEOUT_S = 60  # Of one piece: the switch may have to sort a day's payments before the first.
_PROBLEM_MAX = 65_536


class SignedFiles:
    """Fetches from one peer, the switch, wherever the book says it is."""

    def __init__(self, node_id: str, book: PeerBook, signer: Signer) -> None:
        self._node_id = node_id
        self._book = book
        self._signer = signer
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)

    async def fetch(self, window: str) -> AsyncIterator[bytes]:
        """
        The clearing file of a closed window, in pieces.

        Refuses:  FILE_NOT_GIVEN with the switch's own reason; FILE_BROKEN_OFF when no answer came, or only a part of it.
        """
        peer = self._book.find(self._node_id)
        assert peer is not None, "the switch is in the book from the start"
        path = clearing_path(window)
        signed = self._signer.sign(self._node_id, "GET", path, b"")
        headers = {name.decode(): value.decode() for name, value in signed.items()}
        try:
            async with self._client.stream("GET", peer.url.rstrip("/") + path, headers=headers) as response:
                if not response.is_success:
                    raise Refusal(SchemeReason.FILE_NOT_GIVEN, window=window, said=_said(await _beginning(response)))
                async for piece in response.aiter_bytes():
                    yield piece
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            raise Refusal(SchemeReason.FILE_BROKEN_OFF, window=window, said=said) from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _PROBLEM_MAX:
            break
    return body


def _said(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=Problem).reason
    except msgspec.DecodeError:
        return "nothing that can be read"

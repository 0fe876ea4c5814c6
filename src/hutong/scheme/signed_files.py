"""A node's own files at the switch, over HTTP: asked for with a signature, as an envelope with an empty body has one."""

from collections.abc import AsyncIterator

import httpx
import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.http import Problem
from hutong.scheme.clearing_file import clearing_path
from hutong.scheme.envelope import SchemeReason
from hutong.scheme.peer import Peer
from hutong.scheme.signature import Signer

_TIMEOUT_S = 60  # Of one piece: the switch may have to sort a day's payments before the first.
_PROBLEM_MAX = 65_536


class SignedFiles:
    """Fetches from one peer, the switch."""

    def __init__(self, peer: Peer, signer: Signer) -> None:
        self._peer = peer
        self._signer = signer
        self._client = httpx.AsyncClient(base_url=peer.url, timeout=_TIMEOUT_S, trust_env=False)

    async def fetch(self, window: str) -> AsyncIterator[bytes]:
        """
        The clearing file of a closed window, in pieces.

        Refuses:  FILE_NOT_GIVEN with the switch's own reason; FILE_BROKEN_OFF when no answer came, or only a part of it.
        """
        path = clearing_path(window)
        signed = self._signer.sign(self._peer.node_id, "GET", path, b"")
        headers = {name.decode(): value.decode() for name, value in signed.items()}
        try:
            async with self._client.stream("GET", path, headers=headers) as response:
                if not response.is_success:
                    raise Refusal(SchemeReason.FILE_NOT_GIVEN, **_said(await _beginning(response)), window=window)
                async for piece in response.aiter_raw():
                    yield piece
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            raise Refusal(SchemeReason.FILE_BROKEN_OFF, window=window, said=said) from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > _PROBLEM_MAX:
            break
    return body


def _said(body: bytes) -> dict[str, str]:
    try:
        return {"said": msgspec.json.decode(body, type=Problem).reason}
    except msgspec.DecodeError:
        return {"said": "nothing that can be read"}

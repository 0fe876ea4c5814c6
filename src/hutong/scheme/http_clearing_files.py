"""Clearing files over HTTP: asked for with a signature, as `docs/scheme/settlement.md` has it, and read as they come."""

from collections.abc import AsyncIterator

import httpx
import msgspec

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.http import Problem
from hutong.runtime.tls_trust import trusted_at
from hutong.scheme.clearing_file import clearing_path
from hutong.scheme.peer import PeerBook
from hutong.scheme.signature import Signer

_TIMEOUT_S = 60


class ClearingFileReason(Reason):
    """Why there is no file."""

    CLEARING_FILE_REFUSED = Kind.REFUSED, "NARR"
    CLEARING_FILE_NOT_ANSWERED = Kind.REFUSED, "NARR"


class HttpClearingFiles:
    """The switch's files for the node that signs."""

    def __init__(self, switch: str, book: PeerBook, signer: Signer) -> None:
        self._switch = switch
        self._book = book
        self._signer = signer

    async def fetch(self, window: str) -> AsyncIterator[bytes]:
        """
        The file in pieces.

        Refuses:  CLEARING_FILE_REFUSED, naming the switch's reason; CLEARING_FILE_NOT_ANSWERED: ask again.
        """
        peer = self._book.find(self._switch)
        assert peer is not None
        path = clearing_path(window)
        headers = {
            name.decode(): value.decode() for name, value in self._signer.sign(self._switch, "GET", path, b"").items()
        }
        try:
            async with (
                _client(peer.url) as client,
                client.stream("GET", path, headers=headers) as response,
            ):
                if not response.is_success:
                    raise _refused(window, await response.aread())
                async for piece in response.aiter_bytes():
                    yield piece
        except httpx.HTTPError as error:
            raise Refusal(ClearingFileReason.CLEARING_FILE_NOT_ANSWERED, window=window, said=str(error)) from error


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False, verify=trusted_at(url))


def _refused(window: str, body: bytes) -> Refusal:
    try:
        said = msgspec.json.decode(body, type=Problem).reason
    except msgspec.DecodeError:
        said = "no answer of a switch"
    return Refusal(ClearingFileReason.CLEARING_FILE_REFUSED, window=window, switch_said=said)

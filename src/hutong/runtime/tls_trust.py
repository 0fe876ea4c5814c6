"""
Whom our clients trust over TLS: the world's authorities, read once in a process, and only where TLS is spoken.

To read them takes a processor 25 ms, which is longer than most requests.
"""

import ssl
from functools import cache

import httpx


def trusted_at(url: str) -> ssl.SSLContext:
    """Whom a client of this address trusts; in the clear nobody, so that what leads to TLS all the same fails."""
    return _world() if url[:6].lower() == "https:" else _nobody()


@cache
def _world() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@cache
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

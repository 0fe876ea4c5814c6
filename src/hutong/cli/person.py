"""`hutong person`: what an institution keeps of a user, and forgetting; as its operator."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, count_of, show_json, stdout
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.kernel.errors import Kind, Reason, Refusal


class PersonReason(Reason):
    """Why nobody was asked about a person."""

    INSTITUTION_NEEDED = Kind.INVALID, "NARR"


async def export(user: str, /, *, at: At = NOWHERE, json: AsJson = True) -> None:  # noqa: ARG001  # It is JSON either way.
    """Print all that is kept of a user, as JSON: the copy a person may ask for."""
    _check(at)
    async with operating(at) as client:
        show_json(await client.get(f"{_path(user)}/export"))


async def erase(
    user: str,
    /,
    *,
    why: Annotated[str, Parameter(help="On whose word, for the audit log; name no person.")],
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Forget a closed user, and keep the books; again, to finish what was interrupted."""
    _check(at)
    async with operating(at) as client:
        erased = await client.post(f"{_path(user)}/erase", {"why": why})
    if json:
        show_json(erased)
        return
    until = instant(erased["identity_kept_until_ms"] * NS_PER_MS)
    stdout.print(f"{user} is forgotten; who it was is kept sealed until {until:%Y-%m-%d} ({erased['policy_version']}).")


async def purge(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Delete the sealed identities whose time is over: once a day."""
    _check(at)
    async with operating(at) as client:
        purged = await client.post("/v1/operator/retained-identities/purge")
    if json:
        show_json(purged)
    else:
        stdout.print(f"{count_of(purged['count'], 'identity', 'identities')} deleted.")


def _check(at: At) -> None:
    if not at.node:
        raise Refusal(PersonReason.INSTITUTION_NEEDED, say="--node")


def _path(user: str) -> str:
    return f"/v1/operator/users/{quote(user, safe='')}"

"""`hutong operator`: who may run a node. By default the switch; `--node` says another."""

from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, OPERATOR, At, credentials, operating
from hutong.cli.credentials import Credential
from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.operators.operator import Role

Keep = Annotated[bool, Parameter(negative="", help="Note the new token here, as `hutong login --operator` does.")]


async def list_(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Every operator of a node."""
    async with operating(at) as client:
        known = await client.get("/v1/operators")
    if json:
        show_json(known)
        return
    rows = [
        (each["name"], each["role"] if each["active"] else "dismissed", _since(each), each["changed_by"])
        for each in known
    ]
    show_rows("", ("name", "role", "since (UTC)", "by"), rows)


async def appoint_(
    name: str,
    /,
    *,
    role: Annotated[
        Role, Parameter(help="VIEWER looks, OPERATOR runs the node, ADMIN also says who else may.")
    ] = Role.OPERATOR,
    keep: Keep = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Name an operator, or give one another role; the new token is shown once."""
    async with operating(at) as client:
        appointed = await client.put(_path(name), {"role": role.value})
    _show(appointed, at, keep=keep, as_json=json)


async def renew_(name: str, /, *, keep: Keep = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Give an operator another token; the old one is good no more."""
    async with operating(at) as client:
        appointed = await client.post(f"{_path(name)}/token")
    _show(appointed, at, keep=keep, as_json=json)


async def dismiss_(name: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let an operator do nothing any more."""
    async with operating(at) as client:
        await client.delete(_path(name))
    if json:
        show_json({"dismissed": name})
    else:
        stdout.print(f"{name} may do nothing any more.")


def _path(name: str) -> str:
    return f"/v1/operators/{quote(name, safe='')}"


def _show(appointed: dict[str, Any], at: At, *, keep: bool, as_json: bool) -> None:
    operator = appointed["operator"]
    if keep:
        node = at.node or "switch"
        credentials().keep(Credential(node=node, name=operator["name"], role=OPERATOR, token=appointed["token"]))
    if as_json:
        show_json(appointed)
        return
    stdout.print(f"{operator['name']} is {operator['role']} from now on, with this token, shown once:")
    stdout.print(appointed["token"])


def _since(operator: dict[str, Any]) -> str:
    return f"{instant(operator['changed_at_ms'] * NS_PER_MS):%Y-%m-%d %H:%M}" if operator["changed_at_ms"] else ""

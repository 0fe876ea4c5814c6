"""`hutong register` and `hutong login`: who one is, kept for the other commands."""

import sys
from getpass import getpass
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.secrets import read_operator_token
from hutong.app.wallet import Phone
from hutong.cli.connection import (
    MERCHANT,
    NOWHERE,
    OPERATOR,
    USER,
    At,
    client_of,
    connected,
    credentials,
    settings,
    url_of,
)
from hutong.cli.credentials import Credential
from hutong.cli.output import AsJson, show_json, stdout
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness

_DEFAULT_NODE = "jing"
Code = Annotated[str, Parameter(help="The one-time code that was sent; without it one is sent, and asked for.")]


class SessionReason(Reason):
    """Why nobody was signed in."""

    ANSWER_NEEDED = Kind.INVALID, "NARR"


async def register(
    phone: Annotated[str, Parameter(help="A mobile number; a Chinese one, or with its country's + and digits.")] = "",
    name: Annotated[str, Parameter(help="As it is to be shown.")] = "",
    /,
    *,
    code: Code = "",
    pin: Annotated[str, Parameter(help="Six digits for payments; asked for if not given.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Become a user of an institution, signed in here."""
    node = at.node or _DEFAULT_NODE
    phone = phone or asked("Phone: ", "PHONE", as_json=json)
    name = name or asked("Name: ", "NAME", as_json=json)
    async with client_of(url_of(node, at.url)) as client:
        code = code or await _sent_code(client, node, phone, as_json=json)
        device_id = _device_id()
        # The device's id names the registration, too: whoever tries again begins anew, with another code.
        body = {"phone": phone, "name": name, "code": code, "registration_id": device_id}
        signed = await client.post("/v1/users", body | {"device_id": device_id, "device_name": "hutong CLI"})
    _keep(node, phone, signed)
    pin = pin or asked("PIN (six digits): ", "--pin", as_json=json, secret=True)
    async with client_of(url_of(node, at.url), signed["token"]) as client:
        await client.put("/v1/pin", {"pin": pin})
    _greet(node, signed, as_json=json)


async def login(
    phone: Annotated[str, Parameter(help="Whose wallet it is.")] = "",
    /,
    *,
    code: Code = "",
    merchant: Annotated[str, Parameter(help="Note a merchant's staff key, under the name given with --as.")] = "",
    operator: Annotated[str, Parameter(help="Note the operator's token of the node.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Sign in as a user, or note a merchant's or an operator's token."""
    node = at.node or _DEFAULT_NODE
    token = merchant or operator
    if token:
        role = MERCHANT if merchant else OPERATOR
        credentials().keep(Credential(node=node, name=at.who or role, role=role, token=token))
        if not json:
            stdout.print(f"Noted: {at.who or role} at {node}.")
        return
    phone = phone or asked("Phone: ", "PHONE", as_json=json)
    async with client_of(url_of(node, at.url)) as client:
        code = code or await _sent_code(client, node, phone, as_json=json)
        body = {"phone": phone, "code": code, "device_id": _device_id(), "device_name": "hutong CLI"}
        signed = await client.post("/v1/sessions", body)
    _keep(node, phone, signed)
    _greet(node, signed, as_json=json)


async def pin(
    *,
    new: Annotated[str, Parameter(help="The new PIN: six digits; asked for if not given.")] = "",
    old: Annotated[str, Parameter(help="The one that was; asked for if there is one.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Set the PIN, or change it."""
    _, client = connected(at, USER)
    new = new or asked("New PIN (six digits): ", "--new", as_json=json, secret=True)
    async with client:
        try:
            await client.put("/v1/pin", {"pin": new})
        except NodeRefused as refused:
            if refused.reason != "PIN_ALREADY_SET":
                raise
            old = old or asked("Old PIN: ", "--old", as_json=json, secret=True)
            await client.post("/v1/pin/change", {"pin": old, "new_pin": new})
    if json:
        show_json({"pin": "set"})
    else:
        stdout.print("The PIN is set.")


def asked(prompt: str, option: str, *, as_json: bool, secret: bool = False) -> str:
    """What somebody types. Refuses ANSWER_NEEDED where nobody is to be asked, naming the option that says it."""
    if as_json or not sys.stdin.isatty():
        raise Refusal(SessionReason.ANSWER_NEEDED, say=option)
    return (getpass(prompt) if secret else input(prompt)).strip()


async def _sent_code(client: NodeClient, node: str, phone: str, *, as_json: bool) -> str:
    """Have a one-time code sent, and read it: off the laptop's network for who runs it, else off one's telephone."""
    await client.post("/v1/users/codes", {"phone": phone})
    ours = settings()
    token = read_operator_token(ours.data_directory, node, ours.secrets_key)
    if token:
        async with client_of(client.url, token) as operator:
            try:
                return str((await operator.get(f"/v1/operator/one-time-codes/{quote(phone, safe='')}"))["code"])
            except NodeRefused:
                pass  # It has a gateway for text messages, or the secrets are another network's.
    return asked(f"The code sent to {phone}: ", "--code", as_json=as_json)


def _device_id() -> str:
    return id_text("dev", IdMint(SystemClock(), system_randomness()).mint())


def _keep(node: str, phone: str, signed: dict[str, Any]) -> None:
    credentials().keep(
        Credential(
            node=node,
            name=signed["user"]["name"],
            role=USER,
            token=signed["token"],
            phone=phone,
            device=Phone(device_id=signed["device_id"]),
        )
    )


def _greet(node: str, signed: dict[str, Any], *, as_json: bool) -> None:
    shown = {name: value for name, value in signed.items() if name != "token"}
    if as_json:
        show_json({"node": node, **shown})
    else:
        stdout.print(f"Signed in: {signed['user']['name']} at {node}.")

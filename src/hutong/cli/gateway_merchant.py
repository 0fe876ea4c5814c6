"""`hutong gateway merchant …`: accounts at the gateways, for software that speaks WeChat Pay's or Alipay's protocol."""

import base64
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import MERCHANT, NOWHERE, At, connected, operating
from hutong.cli.gateway_recipes import ALIPAY, CLIENTS, WECHATPAY, recipe
from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# Whose gateway it is in the demo's network, and whom it is for where nobody is named.
NODES = {"wechatpay": "wei", "alipay": "zhi"}
_SHOP = {
    "reference": "gateway-shop",
    "legal_name": "互通网关小店有限公司",
    "name": "网关小店",
    "latin_name": "Gateway Shop",
    "city": "北京",
    "latin_city": "Beijing",
    "mcc": "5812",
    "fee_bps": 60,
}
_TITLES = {"python": "Python", "node": "Node.js", "go": "Go", "java": "Java", "php": "PHP"}

Vendor = Literal["wechatpay", "alipay"]
For = Annotated[Vendor, Parameter(name="--for", help="Whose protocol the merchant's software speaks.")]
Merchant = Annotated[
    str,
    Parameter(help="Whose account, as operator: mer_…; default: a shop of its own, taken on for it."),
]
Number = Annotated[str, Parameter(help="The account's mchid or app_id.")]
Out = Annotated[
    Path | None, Parameter(name=["--out", "-o"], help="Where keys and certificates go; default: a directory here.")
]


class GatewayMerchantReason(Reason):
    """Why a command about gateway accounts could not do its work."""

    ACCOUNT_NOT_FOUND = Kind.NOT_FOUND, "NARR"
    DIRECTORY_IN_USE = Kind.CONFLICT, "NARR"


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The accounts of one merchant, by its own key or by the operator."""

    client: NodeClient
    path: str

    async def number(self, number: str) -> dict[str, Any]:
        """Refuses ACCOUNT_NOT_FOUND."""
        known = await self.client.get(self.path)
        for account in known:
            if account["number"] == number:
                return dict(account)
        numbers = ", ".join(account["number"] for account in known) or "none"
        raise Refusal(GatewayMerchantReason.ACCOUNT_NOT_FOUND, number=number, known=numbers)


async def create(
    vendor: For,
    *,
    merchant: Merchant = "",
    name: Annotated[str, Parameter(help="For yourself.")] = "shop",
    signing: Annotated[
        Literal["key", "certificate"], Parameter(help="With what the institution signs, by default.")
    ] = "key",
    partner: Annotated[
        tuple[str, ...], Parameter(help="A service provider that may act for it: its number.", negative="")
    ] = (),
    client: Annotated[
        tuple[Literal["python", "node", "go", "java", "php"], ...],
        Parameter(help="Print the configuration of these alone.", negative=""),
    ] = (),
    out: Out = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Make an account with all its keys, and print how each client is configured for it."""
    from hutong.gateways import keys

    private = keys.new_key()
    body = {
        "account_id": id_text("gwa", IdMint(SystemClock(), system_randomness()).mint()),
        "kind": vendor,
        "name": name,
        "public_key": keys.public_pem(private.public_key()),
        "signing": "PUBLIC_KEY" if signing == "key" else "CERTIFICATE",
        "partners": list(partner),
    }
    async with _accounts(vendor, merchant, at) as accounts:
        made = await accounts.client.post(accounts.path, body)
        base_url = accounts.client.url
    directory = (out or Path(f"hutong-{vendor}-{made['account']['number']}")).absolute()
    written = _write(directory, vendor, made, private)
    values = _values(vendor, made, directory, base_url)
    if json:
        show_json(made | {"directory": str(directory), "files": written, "base_url": base_url})
        return
    texts = WECHATPAY if vendor == "wechatpay" else ALIPAY
    stdout.print(f"[bold]{made['account']['number']}[/] at {base_url}; keys and certificates in [bold]{directory}[/]")
    for each in client or CLIENTS:
        stdout.print(f"\n[bold]{_TITLES[each]}[/]")
        stdout.print(recipe(texts, each, values).rstrip("\n"), markup=False)
    stdout.print(
        "\nPay as somebody's wallet: [bold]hutong gateway pay CODE_URL[/]. "
        "With no line changed: [bold]hutong gateway run -- COMMAND[/]."
    )


async def list_(vendor: For, *, merchant: Merchant = "", at: At = NOWHERE, json: AsJson = False) -> None:
    """A merchant's accounts."""
    async with _accounts(vendor, merchant, at) as accounts:
        known = [each for each in await accounts.client.get(accounts.path) if each["kind"] == vendor]
    if json:
        show_json(known)
        return
    rows = [(each["number"], each["name"], each["role"], each["signing"], str(len(each["keys"]))) for each in known]
    show_rows("", ("number", "name", "role", "signed with", "keys"), rows, numbers=("keys",))


async def rotate(
    vendor: For,
    number: Number,
    /,
    *,
    secrets: Annotated[
        bool, Parameter(negative="", help="New API keys instead of another key pair: the old ones end at once.")
    ] = False,
    merchant: Merchant = "",
    out: Out = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Another key pair for an account; at the WeChat Pay gateway the old one is good until it is retired."""
    from hutong.gateways import keys

    directory = (out or Path(f"hutong-{vendor}-{number}-new")).absolute()
    async with _accounts(vendor, merchant, at) as accounts:
        path = f"{accounts.path}/{(await accounts.number(number))['account_id']}"
        if secrets:
            made = await accounts.client.post(f"{path}/secrets")
            found = {name: secret for name, secret in made["secrets"].items() if secret}
            if json:
                show_json(found)
            for name, secret in () if json else found.items():
                stdout.print(f"{name} = {secret}")
            return
        private = keys.new_key()
        account = await accounts.client.post(f"{path}/keys", {"public_key": keys.public_pem(private.public_key())})
    newest = account["keys"][-1]
    written = _write_own(directory, vendor, number, private, newest["certificate"])
    if json:
        show_json({"account": account, "directory": str(directory), "files": sorted(written)})
    else:
        stdout.print(f"{number} may sign with {newest['serial']} from now on; its key is in [bold]{directory}[/].")


async def remove(
    vendor: For, number: Number, /, *, merchant: Merchant = "", at: At = NOWHERE, json: AsJson = False
) -> None:
    """Let nobody in by an account any more."""
    async with _accounts(vendor, merchant, at) as accounts:
        path = f"{accounts.path}/{(await accounts.number(number))['account_id']}"
        account = await accounts.client.post(f"{path}/remove")
    if json:
        show_json(account)
    else:
        stdout.print(f"{number} is removed.")


@asynccontextmanager
async def _accounts(vendor: Vendor, merchant: str, at: At) -> AsyncIterator[_Accounts]:
    """By the merchant's key that is named with `--as`, else as the operator of the node."""
    if at.who:
        _, client = connected(at, MERCHANT)
        async with client:
            yield _Accounts(client, "/v1/gateway-accounts")
        return
    where = At(node=at.node or NODES[vendor], url=at.url)
    async with operating(where) as client:
        if not merchant:
            merchant = (await client.post("/v1/operator/merchants", _SHOP))["merchant_id"]
        yield _Accounts(client, f"/v1/operator/merchants/{merchant}/gateway-accounts")


def _write(directory: Path, vendor: Vendor, made: dict[str, Any], private: "RSAPrivateKey") -> list[str]:
    """All files of an account; their names. Refuses DIRECTORY_IN_USE: no key is ever written over."""
    platform, account = made["platform"], made["account"]
    if vendor == "wechatpay":
        files = {
            "pub_key.pem": platform["public_key"],
            f"wechatpay_{platform['serial']}.pem": platform["certificate"],
        }
    else:
        files = {
            "alipay_public_key.pem": platform["public_key"],
            "alipay_public_key.txt": _bare(platform["public_key"]),
            "alipay_cert.crt": platform["certificate"],
            "alipay_root_cert.crt": platform["root_certificate"],
        }
    written = _write_own(directory, vendor, account["number"], private, account["keys"][-1]["certificate"])
    import msgspec

    told = msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
    return sorted(written | _write_files(directory, files | {"account.json": told}))


def _write_own(directory: Path, vendor: Vendor, number: str, private: "RSAPrivateKey", certificate: str) -> set[str]:
    """The merchant's own key and certificate, as clients ask for them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    from hutong.gateways import keys

    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise Refusal(GatewayMerchantReason.DIRECTORY_IN_USE, directory=directory, say="--out ANOTHER") from None
    pem = keys.private_pem(private).decode()
    if vendor == "wechatpay":
        lock = serialization.BestAvailableEncryption(number.encode())  # As the vendor's: everybody knows the password.
        both = pkcs12.serialize_key_and_certificates(
            number.encode(), private, x509.load_pem_x509_certificate(certificate.encode()), None, lock
        )
        own: dict[str, str | bytes] = {"apiclient_key.pem": pem, "apiclient_cert.pem": certificate}
        return _write_files(directory, own | {"apiclient_cert.p12": both})
    pkcs1 = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    files = {
        "app_cert.crt": certificate,
        "app_private_key.pem": pem,
        "app_private_key_pkcs8.txt": _bare(pem),
        "app_private_key_pkcs1.txt": base64.b64encode(pkcs1).decode(),
    }
    return _write_files(directory, files)


def _write_files(directory: Path, files: Mapping[str, str | bytes]) -> set[str]:
    """Readable by their owner alone, from their first byte on."""
    for name, content in files.items():
        with os.fdopen(os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    return {*files}


def _bare(pem: str) -> str:
    """The base64 of a PEM text, in one line: as Alipay's own clients take keys."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def _values(vendor: Vendor, made: dict[str, Any], directory: Path, base_url: str) -> dict[str, str]:
    account, platform = made["account"], made["platform"]
    values = {"directory": str(directory), "base_url": base_url, "host": base_url.partition("://")[2]}
    if vendor == "wechatpay":
        return values | {
            "mchid": account["number"],
            "appid": account["appids"][0],
            "serial": account["keys"][-1]["serial"],
            "public_key_id": platform["public_key_id"],
            "api_v3_key": made["secrets"]["api_v3_key"],
            "api_v2_key": made["secrets"]["api_v2_key"],
        }
    return values | {"app_id": account["number"], "aes_key": made["secrets"]["aes_key"]}

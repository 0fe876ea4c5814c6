"""What of each vendor's protocol is here, told from the tables that requests are answered by: `docs/gateways/coverage.md`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from hutong.gateways.alipay import catalogue as alipay
from hutong.gateways.gateways import Gateways
from hutong.gateways.wechat.v3.endpoint import catalogue as wechat


class Operation(msgspec.Struct, frozen=True, order=True):
    """One thing a vendor's protocol can ask for."""

    product: str  # Empty: not built.
    name: str  # Method and path, or the method's name.


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol."""

    protocol: str
    not_enabled: str  # What the rest answers.
    built: list[Operation]
    rest: list[str]


def covered(gateways: Gateways) -> list[Coverage]:
    """All protocols."""
    v3 = [Operation(each.product, f"{each.method} {each.path}") for each in gateways.v3.built]
    v3_known = {operation.name for operation in v3}
    v2 = gateways.v2.endpoints.values()
    methods = [Operation(each.product, each.method) for each in gateways.alipay.endpoints]
    return [
        Coverage(
            protocol="WeChat Pay APIv3",
            not_enabled="403 `NO_AUTH`",
            built=sorted(v3),
            rest=sorted({f"{each.method} {each.path}" for each in wechat()} - v3_known),
        ),
        Coverage(
            protocol="WeChat Pay v2",
            not_enabled="`result_code` `FAIL`, `err_code` `NOAUTH`",
            built=sorted(Operation(each.product, each.path) for each in v2 if each.handler is not None),
            rest=sorted(each.path for each in v2 if each.handler is None),
        ),
        Coverage(
            protocol="Alipay, `gateway.do` and v3",
            not_enabled="`40006` `isv.insufficient-isv-permissions`",
            built=sorted(methods),
            rest=sorted(alipay.methods() - {each.name for each in methods}),
        ),
    ]


def page(coverages: Iterable[Coverage]) -> str:
    """As Markdown."""
    return "\n".join(_lines(coverages)) + "\n"


def _lines(coverages: Iterable[Coverage]) -> Iterator[str]:
    yield "# What is here of each protocol"
    yield ""
    yield "Written by `make docs` from the tables that requests are answered by; a test holds it equal to them. What is *in* moves real money on"
    yield "the institution's ledger. What is *out* has nothing beneath it here yet: it is known by name, and answers as the vendor does where a"
    yield "product is not enabled for a merchant. What is in neither list is unknown to the vendor, too."
    for coverage in coverages:
        yield ""
        yield f"## {coverage.protocol}"
        yield f"{len(coverage.built)} operations in, {len(coverage.rest)} out."
        yield ""
        yield "| product | operations |"
        yield "| --- | --- |"
        products: dict[str, list[str]] = defaultdict(list)
        for operation in coverage.built:
            products[operation.product].append(operation.name)
        for product, names in products.items():
            yield f"| {product} | {'<br>'.join(f'`{name}`' for name in names)} |"
        yield ""
        yield f"Out, answered with {coverage.not_enabled}:"
        yield ""
        yield "```text"
        yield from coverage.rest
        yield "```"

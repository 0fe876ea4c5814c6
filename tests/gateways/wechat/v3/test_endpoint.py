"""Which paths are found."""

import pytest

from hutong.gateways.wechat.v3.endpoint import NOT_ENABLED, Call, Endpoint, Found, Router, catalogue
from hutong.gateways.wechat.v3.envelope import read_query
from hutong.gateways.wire import WireAnswer


async def nothing(_: Call) -> WireAnswer:
    return WireAnswer()


BUILT = [
    Endpoint("GET", "/v3/pay/transactions/id/{transaction_id}", "query", nothing),
    Endpoint("POST", "/v3/pay/transactions/native", "native", nothing),
]
ROUTER = Router([*BUILT, *catalogue()])


def test_what_is_built_is_found_with_its_names() -> None:
    assert ROUTER.find("GET", "/v3/pay/transactions/id/42%7C1") == Found(BUILT[0], {"transaction_id": "42|1"})
    assert ROUTER.find("POST", "/v3/pay/transactions/native") == Found(BUILT[1], {})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v3/pay/transactions/native", 405),
        ("POST", "/v3/pay/transactions/nothing", 404),
        ("GET", "/v3/pay/transactions/id/", 404),
        ("GET", "/v3", 404),
        ("GET", "/v3/certificates/", 404),
        ("BREW", "/v3/certificates", 405),
    ],
)
def test_what_the_vendor_has_not_is_not_found(method: str, path: str, status: int) -> None:
    assert ROUTER.find(method, path) == status


def test_every_path_of_the_vendors_is_found() -> None:
    every = catalogue()
    assert len(every) > 560
    for endpoint in every:
        found = ROUTER.find(endpoint.method, endpoint.path.replace("{", "").replace("}", ""))
        assert isinstance(found, Found), endpoint.path
        assert found.endpoint.product == NOT_ENABLED or found.endpoint in BUILT


def test_odd_queries_are_read() -> None:
    assert read_query(b"&k=v&&e=&flag&k=w&=x&%E4%B8%AD=a+b") == {"k": "v", "e": "", "flag": "", "中": "a b"}

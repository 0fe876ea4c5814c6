import asyncio
import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
import pytest
from litestar import get, post
from litestar.params import FromQuery, JSONBody
from litestar.testing import TestClient

from hutong.kernel.errors import KernelReason, OutcomeUnknown, Refusal
from hutong.runtime.http_app import make_app
from hutong.runtime.http_client import HttpConnection
from hutong.runtime.http_connection import HttpLimits
from hutong.runtime.http_server import HttpServer


class Line(msgspec.Struct):
    amount: Annotated[int, msgspec.Meta(gt=0)]
    note: str = ""


class Bill(msgspec.Struct):
    lines: list[Line]


@post("/bills", sync_to_thread=False)
def write_bill(data: JSONBody[Bill]) -> Bill:
    return data


@get("/refused", sync_to_thread=False)
def refused(n: FromQuery[int]) -> int:
    raise Refusal(KernelReason.CURRENCY_UNKNOWN, currency=n)


@get("/unknown", sync_to_thread=False)
def unknown() -> int:
    raise OutcomeUnknown


@get("/bug", sync_to_thread=False)
def bug() -> int:
    raise ValueError("secret")


ready = ["ok"]


async def checks() -> dict[str, str]:
    return {"journal": ready[0]}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:  # type: ignore[type-arg]  # Its parameter is the application's type.
    app = make_app([write_bill, refused, unknown, bug], title="A node", version="1", checks=checks)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("POST", "/bills", b'{"lines":[{"amount":0}]}', 400, "FIELD_INVALID"),
        ("POST", "/bills", b'{"lin', 400, "BODY_MALFORMED"),
        ("POST", "/bills", b"\xff\xfe", 400, "BODY_MALFORMED"),
        ("POST", "/bills", b"", 400, "FIELD_INVALID"),
        ("POST", "/bills", b"{}", 400, "FIELD_INVALID"),
        ("POST", "/bills", b'{"lines":[{"amount":"1"}]}', 400, "FIELD_INVALID"),
        ("POST", "/bills", b'{"lines":[{"amount":1.5}]}', 400, "FIELD_INVALID"),
        ("POST", "/bills", b'{"lines":[{"amount":1,"note":"a\\u0000b"}]}', 400, "FIELD_INVALID"),
        ("POST", "/bills", b'{"lines":[{"amount":1,"note":"\xff"}]}', 400, "BODY_MALFORMED"),
        ("GET", "/refused?n=1&m=%00", b"", 400, "FIELD_INVALID"),
        ("GET", "/bills", b"", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/nowhere", b"", 404, "ROUTE_UNKNOWN"),
        ("GET", "/refused?n=x", b"", 400, "FIELD_INVALID"),
        ("GET", "/refused", b"", 400, "REQUEST_MALFORMED"),
        ("GET", "/refused?n=1", b"", 400, "CURRENCY_UNKNOWN"),
        ("GET", "/unknown", b"", 504, "OUTCOME_UNKNOWN"),
        ("GET", "/bug", b"", 500, "INTERNAL_ERROR"),
    ],
)
def test_every_no_has_one_shape(
    client: TestClient,  # type: ignore[type-arg]
    method: str,
    path: str,
    body: bytes,
    status: int,
    reason: str,
) -> None:
    answer = client.request(method, path, content=body)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert set(answer.json()) == {"reason", "kind", "code", "message", "facts"}
    assert "secret" not in answer.text


def test_a_wrong_field_is_named_by_its_path(client: TestClient) -> None:  # type: ignore[type-arg]
    answer = client.post("/bills", json={"lines": [{"amount": 1}, {"amount": -1}]})
    assert answer.json()["facts"] == {"field": "lines[1].amount", "problem": "Expected `int` >= 1"}


def test_readiness_is_asked_of_the_node(client: TestClient) -> None:  # type: ignore[type-arg]
    assert client.get("/health/live").json() == {"status": "alive", "checks": {}}
    assert client.get("/health/ready").json() == {"status": "ready", "checks": {"journal": "ok"}}
    ready[0] = "halted"
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "checks": {"journal": "halted"}})
    ready[0] = "ok"


def test_the_interactive_page_needs_no_other_host(client: TestClient) -> None:  # type: ignore[type-arg]
    page = client.get("/docs").text
    assert not re.findall(r"(?:src|href)=['\"](?:https?:)?//", page)
    for path in re.findall(r"(?:src|href)=['\"](/docs-assets/[^'\"]+)", page):
        assert client.get(path).status_code == 200, path
    assert "/docs-assets/swagger-ui-bundle.js" in page
    assert client.get("/docs/openapi.json").json()["paths"]["/bills"]["post"]


async def test_a_body_cut_off_in_the_middle_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    server = HttpServer(
        "127.0.0.1", 0, {}, make_app([write_bill], title="A node", version="1"), limits=HttpLimits(body_max=2000)
    )
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /bills HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for _ in range(3):
        writer.write(b"400\r\n" + b" " * 1024 + b"\r\n")
        await asyncio.sleep(0.02)
    said = await reader.read()
    writer.close()
    connection = HttpConnection(f"http://127.0.0.1:{server.port}")
    page = await connection.fetch("GET", "/docs")
    connection.close()
    await server.stop(drain_s=1)
    assert said.startswith(b"HTTP/1.1 413")
    assert page.status == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

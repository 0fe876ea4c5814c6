"""What one application of a process learned of its handlers serves the next: as if it had read them itself."""

from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from hutong.runtime.http_app import make_app


class Person(msgspec.Struct, kw_only=True):
    name: str


class Count(msgspec.Struct, kw_only=True):
    number: int


class Shop(Controller):
    path = "/shop"

    @get("/{shop_id:str}", sync_to_thread=False)
    def found(
        self, shop_id: FromPath[str], where: NamedDependency[str], at: Annotated[int, QueryParameter(ge=1)] = 7
    ) -> dict[str, Any]:
        """`where` is given by whoever made the application."""
        return {"shop": shop_id, "where": where, "at": at}


def takes(kind: Any, default: int) -> ControllerRouterHandler:
    """A handler of the same code each time, that takes something else."""

    @post("/taken", sync_to_thread=False)
    def taken(data: JSONBody[kind], count: FromQuery[int] = default) -> dict[str, Any]:
        return {"taken": msgspec.to_builtins(data), "count": count}

    return taken


async def jing() -> str:
    return "jing"


async def wei() -> str:
    return "wei"


def an_app(kind: Any, default: int, where: Any = jing) -> Any:
    shop = Router("/v1", route_handlers=[Shop], dependencies={"where": Provide(where)})
    return make_app([shop, takes(kind, default)], title="t", version="1")


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node.example")


async def test_handlers_of_the_same_code_take_what_each_says() -> None:
    for kind, default, body, other in (
        (Person, 1, {"name": "Li"}, {"number": 3}),
        (Count, 2, {"number": 3}, {"name": "Li"}),
    ) * 2:
        async with client_of(an_app(kind, default)) as client:
            taken = await client.post("/taken", json=body)
            assert (taken.status_code, taken.json()) == (201, {"taken": body, "count": default})
            refused = await client.post("/taken", json=other)
            assert (refused.status_code, refused.json()["reason"]) == (400, "FIELD_INVALID")


@pytest.mark.parametrize("given", [[jing, wei], [wei, jing]])
async def test_each_application_gives_its_handlers_its_own(given: list[Any]) -> None:
    for each in given:
        async with client_of(an_app(Person, 1, each)) as client:
            told = (await client.get("/v1/shop/one?where=caller")).json()
            assert told == {"shop": "one", "where": await each(), "at": 7}
            assert (await client.get("/v1/shop/one?at=0")).json()["reason"] == "FIELD_INVALID"


async def test_the_description_is_the_same_each_time() -> None:
    described = [an_app(kind, 1).openapi_schema.to_schema() for kind in (Person, Count, Person)]
    assert described[0] == described[2] != described[1]

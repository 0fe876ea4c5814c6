"""
The test hook: how the kit asks an implementation to begin something from its own side, and looks at test accounts.

`docs/scheme/conformance.md` defines it. Each verb is a POST of JSON to `<hook>/<verb>`, answered by JSON; 404 says
that the implementation does not offer it, 422 that it refused what was asked.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol

from hutong.conformance.case import Failed, Skipped
from hutong.conformance.station import request

HOOK_S = 20.0


class HookRefused(Exception):  # noqa: N818  # An answer, and what some cases wait for.
    """The implementation said no to what its user asked for."""


class Hook(Protocol):
    """Somebody who does what the verbs say."""

    def offers(self) -> frozenset[str]:
        """The verbs there are."""
        ...

    def ask(self, verb: str, **facts: Any) -> dict[str, Any]:
        """Do it. Raises HookRefused when the implementation refuses it, Skipped when it has no such verb."""
        ...


class NoHook:
    """Nobody offers anything."""

    def offers(self) -> frozenset[str]:
        return frozenset()

    def ask(self, verb: str, **_: Any) -> dict[str, Any]:
        raise Skipped(f"no hook for `{verb}`")


class HttpHook:
    """A hook behind a URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def offers(self) -> frozenset[str]:
        return frozenset(self.ask("offers")["verbs"])

    def ask(self, verb: str, **facts: Any) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        answer = request("POST", self._url, f"/{verb}", json.dumps(facts).encode(), headers, HOOK_S)
        if answer.status in {404, 405, 501}:
            raise Skipped(f"the hook has no `{verb}`")
        if answer.status == 422:
            raise HookRefused(answer.reason or str(answer))
        if answer.status not in {200, 202}:
            raise Failed(f"the hook does not work: {verb}: {answer}")
        return answer.problem


class CrashHook:
    """A hook whose `crash` is a command of whoever runs the kit: it kills the node under test and starts it again."""

    def __init__(self, hook: Hook, crash: Callable[[], None]) -> None:
        self._hook = hook
        self._crash = crash

    def offers(self) -> frozenset[str]:
        return self._hook.offers() | {"crash"}

    def ask(self, verb: str, **facts: Any) -> dict[str, Any]:
        if verb != "crash":
            return self._hook.ask(verb, **facts)
        self._crash()
        return {}

"""Whether a node is fit for work: each thing it needs, looked at when somebody asks, at most once a second."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from hutong.app.host import Machine
from hutong.runtime.http_app import OK

_COMMIT_S_MAX = 10  # A commit that is not answered for so long: the disk, or the way to the database, is gone.
_ANSWER_S = 2
_ASKED_EVERY_S = 1
_EPOCH = "SELECT epoch FROM writer"


@dataclass(slots=True)
class Health:
    """
    A node's readiness: `journal` writes, it has the `lead`, its `database` answers, its `peers`' keys are known, and it
    is not `draining`. `strangers` names the peers it cannot do without whose keys it lacks; `moving_in` says that a
    network for trying out is still given its sample people, in days gone by.
    """

    machine: Machine
    strangers: Callable[[], Sequence[str]] = tuple
    moving_in: Callable[[], bool] = bool
    _asked_at: float | None = None
    _database: tuple[str, str] = (OK, OK)

    async def checks(self) -> dict[str, str]:
        """By name: `ok`, or what is wrong, in words that tell a stranger nothing."""
        journal = self.machine.journal
        writing = OK
        if journal.halt is not None:
            writing = f"halted: {journal.halt.reason.value}"
        elif journal.commit_age_s > _COMMIT_S_MAX:
            writing = f"a commit is under way for {journal.commit_age_s:.0f} s"
        lead, database = await self._asked()
        strangers = self.strangers()
        waiting = {"samples": "people are moving in"} if self.moving_in() else {}
        return waiting | {
            "journal": writing,
            "lead": lead,
            "database": database,
            "peers": f"no valid key of {', '.join(strangers)}" if strangers else OK,
            "draining": "the node is stopping" if self.machine.state.is_draining else OK,
        }

    async def _asked(self) -> tuple[str, str]:
        """The lead and the database: one query tells both."""
        now = asyncio.get_running_loop().time()
        if self._asked_at is None or now - self._asked_at >= _ASKED_EVERY_S:
            self._asked_at = now  # First: who asks meanwhile is told what was so a moment ago.
            self._database = await self._ask()
        return self._database

    async def _ask(self) -> tuple[str, str]:
        try:
            epoch: Any = await self.machine.pool.fetchval(_EPOCH, timeout=_ANSWER_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return "not known", "no answer"
        return OK if epoch == self.machine.journal.epoch else "another writer has taken over", OK

"""The register of merchants: all of them, searched and leafed through by the institution's operators."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hutong.institution.merchants.fee import Fee
from hutong.institution.merchants.merchant import Merchant, MerchantStatus
from hutong.institution.merchants.service import MerchantService
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PAGE_MAX = 100
_NO_PLACE = 2**62


class RegisterRows(Protocol):
    """Where merchants stand."""

    async def page(self, words: str, status: str, *, before: int, limit: int) -> list[tuple[int, int]]:
        """Places and ids of merchants before a place, the newest first, whose names or reference hold the words."""
        ...


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """Merchants with the fee in force, the newest first; `older` is where the next page begins, None at the end."""

    merchants: list[tuple[Merchant, Fee]]
    older: int | None


class RegisterService:
    """It only reads."""

    def __init__(self, node: NodeRuntime, merchants: MerchantService, rows: RegisterRows) -> None:
        self._node = node
        self._merchants = merchants
        self._rows = rows

    async def page(
        self, words: str = "", status: MerchantStatus | None = None, *, before: int = _NO_PLACE, limit: int = 50
    ) -> RegisterPage:
        """Those whose name or reference holds the words, in a status, if one is meant."""
        await durable(self._node.journal)
        limit = min(limit, PAGE_MAX)
        found = await self._rows.page(words, status.value if status else "", before=before, limit=limit + 1)
        merchants = [await warmed(self._node.journal, partial(self._one, id_)) for _, id_ in found[:limit]]
        return RegisterPage(merchants, found[limit - 1][0] if len(found) > limit else None)

    def _one(self, merchant_id: int) -> tuple[Merchant, Fee]:
        return self._merchants.merchant(merchant_id), self._merchants.fee(merchant_id, self._node.clock.now_ns())

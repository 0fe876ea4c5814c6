"""What a merchant's console shows of the gateways: pages and gateways know nothing of each other, and meet here."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.notification import ID_PREFIX
from hutong.gateways.notification_desk import NotificationDesk
from hutong.gateways.notification_service import Told
from hutong.gateways.notification_views import TryView, notification_view
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import parse_id
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed
from hutong.web.console.callbacks import Callback, ShownTry


class GatewayCallbacks:
    """`web.console.callbacks.Callbacks`, of one institution's gateways."""

    def __init__(self, journal: Journal, accounts: AccountService, desk: NotificationDesk) -> None:
        self._journal = journal
        self._accounts = accounts
        self._desk = desk

    async def accounts(self, key: StaffKey) -> list[tuple[str, str]]:
        found = await warmed(self._journal, lambda: self._accounts.accounts(key))
        return [(account.row.number, account.row.name) for account in found]

    async def page(self, key: StaffKey, number: str, *, before: int, limit: int) -> tuple[list[Callback], int]:
        found = await self._desk.page(key, number, before=before, limit=limit)
        shown = [await self._shown(told, whole=False) for _, told in found]
        return shown, found[-1][0] if len(found) == limit else 0

    async def one(self, key: StaffKey, id_: str) -> Callback:
        return await self._shown(await self._desk.told(key, parse_id(ID_PREFIX, id_)), whole=True)

    async def resend(self, key: StaffKey, id_: str) -> Callback:
        return await self._shown(await self._desk.resend(key, parse_id(ID_PREFIX, id_)), whole=True)

    async def _shown(self, told: Told, *, whole: bool) -> Callback:
        view = notification_view(told, await self._desk.about(told.notification), whole=whole)
        return Callback(
            id=view.id,
            about=view.about,
            kind=view.kind,
            state=view.state.value,
            url=view.url,
            at_ns=view.at_ms * NS_PER_MS,
            next_at_ns=view.next_at_ms * NS_PER_MS,
            plain=view.plain,
            tries=[_shown_try(each) for each in view.tries],
        )


def _shown_try(view: TryView) -> ShownTry:
    return ShownTry(
        cause=view.cause.value,
        at_ns=view.at_ms * NS_PER_MS,
        took_ms=view.took_ms,
        status=view.status,
        note=view.note,
        answer=view.answer,
        headers=view.headers,
        body=view.body,
    )

"""Reserves and contributions: money that comes in, money that leaves, and the caps that reserves stand behind."""

from collections.abc import Callable
from functools import partial

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency, currency_of
from hutong.ledger import recipes, settlement_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Account, Transfer, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import EntryKind
from hutong.switch import chart
from hutong.switch.admission import AdmissionService
from hutong.switch.policy import ClearingPolicy
from hutong.switch.settlement.account_service import AccountService
from hutong.switch.settlement.movement import Means
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.rules import Fund
from hutong.switch.settlement.rules_service import RulesService

Answered = Callable[[SettlementReason | None], None]


class ReserveService:
    """What everybody prefunded."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        admission: AdmissionService,
        accounts: AccountService,
        rules: RulesService,
        policy: ClearingPolicy,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._admission = admission
        self._accounts = accounts
        self._rules = rules
        self._policy = policy

    async def top_up(
        self, change_id: int, node_id: str, currency: Currency, amount: int, fund: Fund, then: Answered
    ) -> None:
        """
                Money of a participant came to the settlement bank; `then` hears how it ended.

                Moves:    custody -> reserve or contribution; reserve caps -> position, as far as the rules say.
        Refuses:  PARTICIPANT_UNKNOWN, PARTICIPANT_LEFT; RESERVE_CHANGE_CONFLICTS, naming the field.
                Repeats:  nothing; `then` hears that it was done.
        """
        if node_id != self._scheme:
            self._admission.staying(node_id)
        cap = await self._cap_step(node_id, currency, amount, fund)
        transfers = self._change(settlement_recipes.fund, change_id, node_id, currency, amount, max(0, cap), fund)
        if await self._is_repeated(transfers[0]):
            then(None)
            return
        booked = partial(self._booked, change_id, node_id, currency, amount, fund, EntryKind.TOP_UP, then)
        self._ledger.create_transfers(transfers, booked)
        self._node.journal.seal()

    async def withdraw(
        self, change_id: int, node_id: str, currency: Currency, amount: int, fund: Fund, then: Answered
    ) -> None:
        """
        A participant takes money back: the mirror of `top_up`.

        Refuses:  RESERVE_INSUFFICIENT; POSITION_UNCOVERED, when the position uses the cap that would go, be it for
                  what is not settled yet; RESERVE_CHANGE_CONFLICTS; RESERVE_CHANGE_REFUSED_EARLIER.
        Repeats:  as `top_up`. What was refused stays refused under its id.
        """
        cap = await self._cap_step(node_id, currency, -amount, fund)
        transfers = self._change(settlement_recipes.defund, change_id, node_id, currency, amount, max(0, -cap), fund)
        if await self._is_repeated(transfers[0]):
            then(None)
            return
        booked = partial(self._booked, change_id, node_id, currency, -amount, fund, EntryKind.WITHDRAWAL, then)
        self._ledger.create_transfers(transfers, booked)
        self._node.journal.seal()

    async def _is_repeated(self, asked: Transfer) -> bool:
        """
        Whether the ledger has this change already. Refuses RESERVE_CHANGE_CONFLICTS, naming the field that differs.

        Asked for before the ledger decides: how much cap goes with it may be another amount by now, and is no content.
        """
        for known in await self._ledger.lookup_transfers([asked.id]):
            if known.ledger != asked.ledger:
                raise Refusal(SettlementReason.RESERVE_CHANGE_CONFLICTS, field="currency")
            ways = (known.debit_account_id, known.credit_account_id), (asked.debit_account_id, asked.credit_account_id)
            if ways[0] != ways[1]:
                turned = ways[0] == ways[1][::-1]
                raise Refusal(SettlementReason.RESERVE_CHANGE_CONFLICTS, field="change" if turned else "node or fund")
            if known.amount != asked.amount:
                raise Refusal(SettlementReason.RESERVE_CHANGE_CONFLICTS, field="amount")
            return True
        return False

    async def means(self, currency: Currency) -> Means:
        """What everybody has, the scheme too."""
        nodes = [participant.node_id for participant in self._admission.participants()]
        reserves = await self._balances([chart.reserve_account(node, currency) for node in (*nodes, self._scheme)])
        contributions = await self._balances([chart.contribution_account(node, currency) for node in nodes])
        return Means(
            dict(zip((*nodes, self._scheme), reserves, strict=True)), dict(zip(nodes, contributions, strict=True))
        )

    async def adjust_caps(self) -> bool:
        """
        Bring the caps that reserves stand behind to what the rules say, as far as they are unused; whether all are there.

        Moves:    reserve caps -> position; or position -> reserve caps, balancing.
        """
        done = True
        for alpha in sorted(self._policy.currencies):
            currency = currency_of(alpha)
            for participant in self._admission.participants():
                step = await self._cap_step(participant.node_id, currency, 0, Fund.RESERVE)
                if not step:
                    continue
                recipe = recipes.grant_cap if step > 0 else recipes.lower_cap
                transfer = recipe(
                    self._node.mint.mint(),
                    caps=chart.reserve_caps_account(participant.node_id, currency),
                    position=chart.position_account(participant.node_id, currency),
                    amount=abs(step),
                    ledger=currency.ledger,
                    code=chart.CODE_RESERVE_CAP,
                )
                self._ledger.create_transfers([transfer], _adjusted)
                done = done and step > 0
        self._node.journal.seal()
        return done

    @property
    def _scheme(self) -> str:
        return self._node.node_id

    async def _cap_step(self, node_id: str, currency: Currency, moved: int, fund: Fund) -> int:
        """By how much the cap of a reserve is to change, when the reserve changes by `moved`."""
        if node_id == self._scheme:
            return 0
        self._admission.participant(node_id)
        if fund is Fund.CONTRIBUTION:
            return 0
        accounts = [chart.reserve_account(node_id, currency), chart.reserve_caps_account(node_id, currency)]
        reserve, caps = await self._balances(accounts)
        return self._rules.now().cap_of(node_id, max(0, reserve + moved)) + caps  # Caps stand on the debit side.

    def _change(
        self,
        recipe: Callable[..., list[Transfer]],
        change_id: int,
        node_id: str,
        currency: Currency,
        amount: int,
        cap: int,
        fund: Fund,
    ) -> list[Transfer]:
        of = chart.reserve_account if fund is Fund.RESERVE else chart.contribution_account
        return recipe(
            derive(change_id, "settlement/fund"),
            custody=chart.custody_account(currency),
            account=of(node_id, currency),
            caps=chart.reserve_caps_account(node_id, currency),
            position=chart.position_account(node_id, currency),
            amount=amount,
            cap=cap,
            ledger=currency.ledger,
            code=chart.CODE_FUNDING,
        )

    def _booked(
        self,
        change_id: int,
        node_id: str,
        currency: Currency,
        moved: int,
        fund: Fund,
        kind: EntryKind,
        then: Answered,
        statuses: list[TransferStatus],
    ) -> None:
        match statuses[0]:
            case TransferStatus.CREATED:
                if fund is Fund.RESERVE:
                    self._accounts.book(change_id, node_id, currency.alpha, kind, moved)
                then(None)
            case TransferStatus.EXISTS:
                then(None)
            case TransferStatus.EXCEEDS_CREDITS:
                then(SettlementReason.RESERVE_INSUFFICIENT)
            case TransferStatus.LINKED_EVENT_FAILED:
                then(SettlementReason.POSITION_UNCOVERED)
            case TransferStatus.ID_ALREADY_FAILED:
                then(SettlementReason.RESERVE_CHANGE_REFUSED_EARLIER)
            case _:
                then(SettlementReason.RESERVE_CHANGE_CONFLICTS)

    async def _balances(self, ids: list[int]) -> list[int]:
        """Credits less debits, posted; nothing, of an account that is still being opened."""
        found = {account.id: _balance(account) for account in await self._ledger.lookup_accounts(ids)}
        return [found.get(id_, 0) for id_ in ids]


def _balance(account: Account) -> int:
    return account.credits_posted - account.debits_posted


def _adjusted(statuses: list[TransferStatus]) -> None:
    assert statuses[0] is TransferStatus.CREATED, statuses

"""Positions and the switch's books, read off the ledger."""

from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, currency_of
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Account, AccountQuery
from hutong.switch import chart
from hutong.switch.admission import AdmissionService
from hutong.switch.policy import ClearingPolicy
from hutong.switch.position import Position, SwitchBooks, total_credits, total_debits
from hutong.switch.reason import SwitchReason

_PAGE = 1000


class PositionService:
    """What the operator watches; nothing here decides."""

    def __init__(self, scheme: str, ledger: LedgerEngine, admission: AdmissionService, policy: ClearingPolicy) -> None:
        self._scheme = scheme
        self._ledger = ledger
        self._admission = admission
        self._policy = policy

    async def books(self, currency_code: str) -> SwitchBooks:
        """Every account of one currency, looked up at one moment. Refuses CURRENCY_NOT_CLEARED_HERE."""
        if currency_code not in self._policy.currencies:
            raise Refusal(SwitchReason.CURRENCY_NOT_CLEARED_HERE, currency=currency_code)
        currency = currency_of(currency_code)
        nodes = [participant.node_id for participant in self._admission.participants()]
        ids = [chart.position_account(node, currency) for node in nodes]
        own = [chart.caps_account(currency), chart.income_account(currency), chart.custody_account(currency)]
        reserves = [chart.reserve_account(node, currency) for node in (*nodes, self._scheme)]
        contributions = [chart.contribution_account(node, currency) for node in nodes]
        reserve_caps = [chart.reserve_caps_account(node, currency) for node in nodes]
        caps_of = {node: await self.cap_by_hand(node, currency) for node in nodes}
        # Caps are looked up before the balances: a cap that is granted meanwhile shows as a credit, not as a debt.
        asked = [*ids, *own, *reserves, *contributions, *reserve_caps]
        accounts = {account.id: account for account in await self._ledger.lookup_accounts(asked)}
        assert len(accounts) == len(asked), "accounts are opened when a node is admitted"
        caps, income, custody = (accounts[id_] for id_ in own)
        return SwitchBooks(
            currency=currency.alpha,
            positions=tuple(
                _position(node, currency, caps_of[node] + _debit(accounts[caps_id]), accounts[id_], accounts[reserve])
                for node, id_, caps_id, reserve in zip(nodes, ids, reserve_caps, reserves, strict=False)
            ),
            caps_minor=_debit(caps) + sum(_debit(accounts[id_]) for id_ in reserve_caps),
            income_minor=-_debit(income),
            custody_minor=_debit(custody),
            reserves_minor=-sum(_debit(accounts[id_]) for id_ in reserves),
            contributions_minor=-sum(_debit(accounts[id_]) for id_ in contributions),
            debits_minor=total_debits(list(accounts.values())),
            credits_minor=total_credits(list(accounts.values())),
        )

    async def position(self, node_id: str, currency: Currency) -> Position:
        """One node's. Refuses PARTICIPANT_UNKNOWN."""
        self._admission.participant(node_id)
        cap_minor = await self.cap_by_hand(node_id, currency)
        account, caps, reserve = await self._ledger.lookup_accounts(
            [
                chart.position_account(node_id, currency),
                chart.reserve_caps_account(node_id, currency),
                chart.reserve_account(node_id, currency),
            ]
        )
        return _position(node_id, currency, cap_minor + _debit(caps), account, reserve)

    async def cap_by_hand(self, node_id: str, currency: Currency) -> int:
        """The cap as granted by hand: the sum of its few changes."""
        account_id = chart.position_account(node_id, currency)
        cap_minor, after = 0, 0
        while True:
            changes = await self._ledger.account_transfers(
                AccountQuery(account_id, code=chart.CODE_CAP, timestamp_min=after, limit=_PAGE)
            )
            for change in changes:
                cap_minor += change.amount if change.credit_account_id == account_id else -change.amount
            if len(changes) < _PAGE:
                return cap_minor
            after = changes[-1].timestamp + 1


def _debit(account: Account) -> int:
    """Debits less credits, posted."""
    return account.debits_posted - account.credits_posted


def _position(node_id: str, currency: Currency, cap_minor: int, account: Account, reserve: Account) -> Position:
    return Position(
        node_id=node_id,
        currency=currency.alpha,
        cap_minor=cap_minor,
        balance_minor=-_debit(account),
        reserve_minor=-_debit(reserve),
        outgoing_minor=account.debits_pending,
        incoming_minor=account.credits_pending,
    )

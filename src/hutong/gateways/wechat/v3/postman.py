"""Notifications: a resource sealed with the merchant's APIv3 key, in a letter that the platform signs anew at each try."""

from typing import Any

import msgspec

from hutong.gateways.account import Caller, Signing, WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement import AgreementState
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.combined.combined import CombinedPart, CombinedTrade
from hutong.gateways.combined.combined_service import is_combined
from hutong.gateways.combined.part_refund_service import TAKING
from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.gateways.notification import GatewayNotification, Letter, News
from hutong.gateways.order import GatewayOrder, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.entry import PRODUCT as PARKING
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.refund import GatewayRefund
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.services.service_order import ServiceOrder
from hutong.gateways.services.service_order_service import ServiceOrderService
from hutong.gateways.sharing import Sharing
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v3 import (
    cipher,
    complaints,
    moment,
    papay,
    parking,
    payscore,
    permissions,
    profit_sharing,
    refunds,
    transfers,
)
from hutong.gateways.wechat.v3.busifavor_view import BusifavorView
from hutong.gateways.wechat.v3.combine import combined_object
from hutong.gateways.wechat.v3.envelope import signature_headers
from hutong.gateways.wechat.v3.favor_view import FavorView
from hutong.gateways.wechat.v3.trade_view import trade_object
from hutong.gateways.wire import JSON
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import Randomness

SCHEDULE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
# Pay score gives up within three and a half hours.
PAYSCORE_SCHEDULE_S = (15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600)
_PAYSCORE = b'"event_type":"PAYSCORE.'
TIMEOUT_S = 5.0
_REFUND_ENDS = {
    "SUCCESS": ("REFUND.SUCCESS", "退款成功"),
    "CLOSED": ("REFUND.CLOSED", "退款关闭"),
}
_USES = {Signing.CERTIFICATE: KeyUse.WECHATPAY_CERTIFICATE, Signing.PUBLIC_KEY: KeyUse.WECHATPAY_PUBLIC_KEY}


class Told(msgspec.Struct, frozen=True):
    """What is told: the same at every try."""

    event_type: str
    summary: str
    original_type: str
    resource: dict[str, Any]


class V3Postman:
    """The postman of `wechatpay-v3`."""

    schedule_s = SCHEDULE_S
    timeout_s = TIMEOUT_S

    def __init__(
        self,
        accounts: AccountService,
        platform: PlatformService,
        orders: OrderService,
        gateway_refunds: GatewayRefundService,
        sharing: Sharing,
        agreements: AgreementService,
        services: ServiceOrderService,
        car_parks: ParkingService,
        vouchers: Vouchers,
        complained: ComplaintsService,
        till_coupons: TillCoupons,
        randomness: Randomness,
    ) -> None:
        self._accounts = accounts
        self._platform = platform
        self._orders = orders
        self._refunds = gateway_refunds
        self._sharing = sharing
        self._agreements = agreements
        self._services = services
        self._parking = car_parks
        self._vouchers = vouchers.held
        self._complaints = complained
        self._favor = FavorView(accounts, vouchers)
        self._till_coupons = till_coupons.held
        self._busifavor = BusifavorView(accounts, orders.payers, till_coupons)
        self._randomness = randomness

    def waits_s(self, plain: bytes) -> tuple[int, ...]:
        """Pay score's own, and one for all else."""
        return PAYSCORE_SCHEDULE_S if _PAYSCORE in plain[: 2 * len(_PAYSCORE)] else SCHEDULE_S

    def plain(self, notification: GatewayNotification) -> bytes:
        """The event, as JSON."""
        match notification.kind:
            case News.REFUND:
                told = self._refund(notification)
            case News.TRANSFER:
                told = self._transfer(notification)
            case News.TRANSFER_BATCH:
                told = self._batch(notification)
            case News.AGREEMENT_SIGNED | News.AGREEMENT_ENDED:
                told = self._confirmed(notification) or self._agreement(notification)
            case News.SERVICE_PAID:
                told = self._service(notification, "PAYSCORE.USER_PAID", "用户支付成功")
            case News.SHARED:
                told = self._share(notification)
            case News.PARKING_CHANGED:
                told = self._entry(notification)
            case News.VOUCHER_USED:
                shown = self._favor.used(self._vouchers.voucher_of(notification.subject_id))
                told = Told("COUPON.USE", "代金券核销通知", "coupon", shown)
            case News.COMPLAINT:
                event, summary, shown = complaints.news_object(*self._complaints.turn_of(notification.subject_id))
                told = Told(event, summary, "complaint", shown)
            case News.COUPON_SENT:
                shown = self._busifavor.sent(self._till_coupons.told(notification.subject_id))
                told = Told("COUPON.SEND", "商家券领券通知", "coupon", shown)
            case News.FAILED:
                told = self._failed(notification)
            case _:
                told = self._paid(notification)
        return msgspec.json.encode(told)

    def letter(self, notification: GatewayNotification, plain: bytes, now_ns: int) -> Letter:
        """The event sealed and signed: the same id at every try, new nonces."""
        told = msgspec.json.decode(plain, type=Told)
        account = self._accounts.account(notification.account_id)
        assert isinstance(account, WechatAccount)
        drawn = self._randomness.randbytes(16 + cipher.NONCE_LENGTH // 2).hex()
        nonce, header_nonce = drawn[: cipher.NONCE_LENGTH], drawn[cipher.NONCE_LENGTH :]
        resource = msgspec.json.encode(told.resource)
        body = msgspec.json.encode(
            {
                "id": f"EV-{notification.id:032x}",
                "create_time": moment.told(notification.at_ns),
                "resource_type": "encrypt-resource",
                "event_type": told.event_type,
                "summary": told.summary,
                "resource": {
                    "algorithm": cipher.ALGORITHM,
                    "original_type": told.original_type,
                    "ciphertext": cipher.seal(
                        account.secrets.api_v3_key, resource, nonce=nonce, associated_data=told.original_type
                    ),
                    "nonce": nonce,
                    "associated_data": told.original_type,
                },
            }
        )
        key = self._platform.current(_USES[account.facts.signing])
        headers = dict(signature_headers(key, body, header_nonce, now_ns // NS_PER_S))
        return Letter(headers | {"Content-Type": JSON}, body)

    def taken(self, status: int, body: bytes) -> bool:  # noqa: ARG002  # The body is for people.
        """200 and 204 mean that it has arrived, whatever the body says."""
        return status in {200, 204}

    def _paid(self, notification: GatewayNotification) -> Told:
        order = self._orders.orders.get(notification.subject_id)
        assert order is not None, "news of an order come after it"
        if is_combined(order):
            return Told("TRANSACTION.SUCCESS", "支付成功", "transaction", self._combined(order))
        caller = self._orders.caller_of(order)
        # It is the payment that is told: what was given back meanwhile is news of its own.
        paid = msgspec.structs.replace(self._orders.trade(order), state=TradeState.PAID, refunds=0)
        return Told("TRANSACTION.SUCCESS", "支付成功", "transaction", self._shown(paid, caller))

    def _failed(self, notification: GatewayNotification) -> Told:
        order = self._orders.orders.get(notification.subject_id)
        assert order is not None, "news of an order come after it"
        caller = self._orders.caller_of(order)
        trade = msgspec.structs.replace(self._orders.trade(order), state=TradeState.FAILED)
        return Told("TRANSACTION.FAIL", "扣款失败", "transaction", self._shown(trade, caller))

    def _shown(self, trade: Trade, caller: Caller) -> dict[str, Any]:
        """An order as its product shows it."""
        payers = self._orders.payers
        if trade.order.product == PARKING:
            return parking.transaction_object(trade, self._parking.entry_of(trade.order), caller, payers)
        return trade_object(trade, caller, payers, partner=is_partner(caller))

    def _entry(self, notification: GatewayNotification) -> Told:
        entry = self._parking.entries.get(notification.subject_id)
        assert entry is not None, "news of an entry come after it"
        caller = Caller(self._accounts.account(entry.account_id), self._accounts.account(entry.payee_id))
        shown = parking.entry_object(entry, caller)
        return Told("VEHICLE.ENTRANCE_STATE_CHANGE", "停车入场状态变更", "", shown)

    def _confirmed(self, notification: GatewayNotification) -> Told | None:
        """A consent that is for a service is told as the service's, a permission as one; None for others."""
        agreement, has_ended = (
            self._agreements.offered(notification.subject_id),
            notification.kind == News.AGREEMENT_ENDED,
        )
        if permissions.is_permission(agreement):
            mchid = self._accounts.account(agreement.payee_id).row.number
            shown = permissions.changed(agreement, mchid, self._orders.payers, has_ended=has_ended)
            event = "PAYSCORE.USER_CLOSE_SERVICE" if has_ended else "PAYSCORE.USER_OPEN_SERVICE"
            return Told(event, "用户解除授权" if has_ended else "用户授权成功", "payscore", shown)
        service = self._services.of_agreement(notification.subject_id)
        if service is None:
            return None
        if notification.kind == News.AGREEMENT_SIGNED:
            return self._told_of(service, "PAYSCORE.USER_CONFIRM", "用户确认成功")
        return self._told_of(service, "PAYSCORE.USER_CLOSE_SERVICE", "用户解除授权")

    def _service(self, notification: GatewayNotification, event: str, summary: str) -> Told:
        service = self._services.all.get(notification.subject_id)
        assert service is not None, "news of a service come after it"
        return self._told_of(service, event, summary)

    def _told_of(self, service: ServiceOrder, event: str, summary: str) -> Told:
        mchid = self._accounts.account(service.account_id).row.number
        shown = payscore.service_object(self._services.standing(service), mchid, self._orders.payers)
        return Told(event, summary, "payscore", shown)

    def _agreement(self, notification: GatewayNotification) -> Told:
        agreement = self._agreements.offered(notification.subject_id)
        caller = Caller(self._accounts.account(agreement.account_id), self._accounts.account(agreement.payee_id))
        if notification.kind == News.AGREEMENT_SIGNED:  # Whatever became of it meanwhile.
            agreement = msgspec.structs.replace(agreement, state=AgreementState.SIGNED.value, ended_ns=0)
            event, summary = "PAPAY.SIGN", "签约成功"
        else:
            event, summary = "PAPAY.TERMINATE", "解约成功"
        shown = papay.contract_object(agreement, caller, self._orders.payers, partner=is_partner(caller))
        return Told(event, summary, "contract", shown)

    def _share(self, notification: GatewayNotification) -> Told:
        share = self._sharing.split_news.shares.get(notification.subject_id)
        assert share is not None, "news of a share come after it"
        split = self._sharing.splits.splits.get(share.split_id)
        assert split is not None, "a share is of a split"
        return Told("PROFITSHARING", "分账", "profitsharing", profit_sharing.share_object(split, share))

    def _refund(self, notification: GatewayNotification) -> Told:
        row = self._refunds.rows.get(notification.subject_id)
        assert row is not None, "news of a refund come after it"
        state = self._refunds.state(row)
        part = self._part(row)
        sold = refunds.Sold(refunds.trade_of(self._orders, state), part)
        payee = self._accounts.account(row.payee_id if part is None else part.payee_id)
        caller = Caller(self._accounts.account(row.account_id), payee)
        if is_partner(caller):
            parties = {"sp_mchid": caller.account.row.number, "sub_mchid": caller.payee.row.number}
        else:
            parties = {"mchid": caller.payee.row.number}
        shown = refunds.notified(sold, state, parties)
        event, summary = _REFUND_ENDS[shown["refund_status"]]
        return Told(event, summary, "refund", shown)

    def _part(self, row: GatewayRefund) -> CombinedPart | None:
        """What of a combined order is given back; None for other orders."""
        if TAKING not in row.told:
            return None
        taking = self._sharing.part_refunds.takings.get(int(row.told[TAKING], 16))
        assert taking is not None, "a part's refund names what was taken for it"
        return self._sharing.combined.parts.get(taking.part_id)

    def _combined(self, order: GatewayOrder) -> dict[str, Any]:
        service = self._sharing.combined
        combined = service.combined.get(order.id)
        assert combined is not None, "a combined order is written down with its order"
        trade = msgspec.structs.replace(self._orders.trade(order), state=TradeState.PAID, refunds=0)
        parts = [msgspec.structs.replace(part, refunded=0) for part in service.parts.find("combined_id", order.id)]
        return combined_object(CombinedTrade(trade=trade, combined=combined, parts=parts), self._orders)

    def _transfer(self, notification: GatewayNotification) -> Told:
        transfer = self._sharing.transfers.transfers.get(notification.subject_id)
        assert transfer is not None, "news of a transfer come after it"
        mchid = self._accounts.account(transfer.account_id).row.number
        shown = transfers.bill_object(transfer, mchid) | transfers.failure(transfer)
        return Told("MCHTRANSFER.BILL.FINISHED", "商家转账单据终态通知", "mch_payment", shown | {"mchid": mchid})

    def _batch(self, notification: GatewayNotification) -> Told:
        batch = self._sharing.batches.batches.get(notification.subject_id)
        assert batch is not None, "news of a batch come after it"
        details = self._sharing.transfers.transfers.find("batch_id", batch.id)
        mchid = self._accounts.account(batch.account_id).row.number
        shown = transfers.batch_object(batch, details, mchid)
        return Told("MCHTRANSFER.BATCH.FINISHED", "商家转账批次完成", "mch_payment", shown)


def is_partner(caller: Caller) -> bool:
    """Whether a service provider acted for the merchant."""
    return caller.account.row.id != caller.payee.row.id

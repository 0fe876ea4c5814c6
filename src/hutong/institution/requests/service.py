"""Asking to be paid, and who may pay what is asked."""

from collections.abc import Callable
from typing import Any

import msgspec

from hutong.codes import plate as plates_of_the_network
from hutong.codes import scanned
from hutong.codes.code import CodeReason
from hutong.codes.link import Link
from hutong.codes.merchant_presented import MerchantPresentedCode
from hutong.codes.plate import PlateId, PlateKind, read_plate, read_plate_id, request_plate_id
from hutong.codes.upi import UpiLink
from hutong.institution import chart
from hutong.institution.merchants.foreign_code import identities
from hutong.institution.merchants.merchant import reference_key
from hutong.institution.merchants.plate import Plate, code_id
from hutong.institution.merchants.plate_service import PlateService
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.requests.draft import RequestDraft, behind_door
from hutong.institution.requests.gateway import Gateway, NoGateway
from hutong.institution.requests.payee import Payee, PayeeKind, People, PersonalCode, Resolved
from hutong.institution.requests.payee_memory import PayeeMemory
from hutong.institution.requests.reasons import RequestReason
from hutong.institution.requests.repository import RequestRepository
from hutong.institution.requests.request import PaymentRequest, RequestLimits, RequestState
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Kind, Refusal
from hutong.kernel.ids import minted_ms
from hutong.kernel.money import currency_of
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import Channel

PAGE_MAX = 200


class RequestService:
    """
    Payment requests, and every code of this institution that somebody can be paid by.

    What takes a `StaffKey` answers to that key alone (invariant 8). The rest is for payments, within its own decision:
    each look-up may raise `Cold`, and `payee` or `request` has made them all before `claim`, `release` and `paid`.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: RequestRepository,
        merchants: MerchantService,
        plates: PlateService,
        people: People,
        limits: RequestLimits,
    ) -> None:
        self._clock = node.clock
        self._mint = node.mint
        self._all = repository
        self._merchants = merchants
        self._plates = plates
        self._people = people
        self._limits = limits
        self.gateway: Gateway = NoGateway()
        self._plate_payees = PayeeMemory(self._plate_payee, lambda: merchants.changes)

    # Merchants.

    def create(self, key: StaffKey, draft: RequestDraft) -> PaymentRequest:
        """
        Ask to be paid.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; what `RequestDraft.check` refuses; REFERENCE_REUSED, naming the field;
                  MERCHANT_SUSPENDED, MERCHANT_CLOSED; SHOP_UNKNOWN, SHOP_CLOSED; CURRENCY_DIFFERS from the merchant's.
        Repeats:  the request as it is now, whatever became of it or the merchant.
        """
        key.check_right(Right.CHARGE)
        draft = msgspec.structs.replace(draft, shop_id=key.shop_for(draft.shop_id))
        draft.check(self._limits)
        found_by = draft.found_by(key.merchant_id)
        for known in self._all.requests.find("reference_key", found_by):
            draft.check_same(known, self._limits)
            return known
        merchant = self._merchants.merchant(key.merchant_id)
        merchant.check_open()
        shop = self._merchants.shop_of(key.merchant_id, draft.shop_id)
        if shop is not None:
            shop.check_open()
        if draft.currency != merchant.currency:
            raise Refusal(RequestReason.CURRENCY_DIFFERS, asked=merchant.currency, offered=draft.currency)
        now_ns = self._clock.now_ns()
        lifetime_s = self._limits.lifetime_for(draft.channel, draft.lifetime_s)
        request = PaymentRequest(
            id=self._mint.mint(),
            merchant_id=key.merchant_id,
            user_id=0,
            shop_id=draft.shop_id,
            code_id=0,
            reference=draft.reference,
            reference_key=found_by,
            amount=draft.amount,
            currency=draft.currency,
            channel=draft.channel.value,
            payer_code=draft.payer_code,
            remark=draft.remark,
            state=RequestState.OPEN,
            claimed_by=0,
            created_ns=now_ns,
            expires_ns=now_ns + lifetime_s * NS_PER_S,
            changed_ns=now_ns,
            listed_merchant=key.merchant_id,
            listed_shop=draft.shop_id or None,
            door=draft.door,
        )
        self._all.requests.put(request)
        return request

    def cancel(self, key: StaffKey, request_id: int) -> PaymentRequest:
        """
        Take a request back for good.

        Refuses:  ROLE_MAY_NOT; REQUEST_UNKNOWN; REQUEST_CLAIMED; REQUEST_ALREADY_PAID.
        Repeats:  the request, cancelled.
        """
        key.check_right(Right.CHARGE)
        request = self.get(key, request_id)
        return self._put(request, request.cancel(self._clock.now_ns()))

    def get(self, key: StaffKey, request_id: int) -> PaymentRequest:
        """Refuses REQUEST_UNKNOWN, for a request the key doesn't see just as for none."""
        request = self._all.requests.get(request_id)
        if request is None or not key.sees(request.merchant_id, request.shop_id):
            raise Refusal(RequestReason.REQUEST_UNKNOWN)
        return request

    def get_by_reference(self, key: StaffKey, reference: str, door: str = "") -> PaymentRequest:
        """The request of the merchant's own reference, behind a door. Refuses REQUEST_UNKNOWN."""
        found_by = reference_key(key.merchant_id, behind_door(door, reference))
        for request in self._all.requests.find("reference_key", found_by):
            if key.sees(request.merchant_id, request.shop_id):
                return request
        raise Refusal(RequestReason.REQUEST_UNKNOWN)

    async def page(self, key: StaffKey, *, before: int | None, limit: int) -> tuple[list[PaymentRequest], int | None]:
        """
        The requests the key sees, newest first, those of its static codes too; and the id to page on `before`.

        Refuses:  REQUEST_UNKNOWN to page on before another's, or none.
        """
        if before is not None:
            await self._all.requests.load([before])
            self.get(key, before)
        column, value = ("listed_shop", key.shop_id) if key.shop_id else ("listed_merchant", key.merchant_id)
        limit = min(limit, PAGE_MAX)
        found = await self._all.page(column, value, before=before, limit=limit)
        return found, found[-1].id if len(found) == limit else None

    def texts(self, request: PaymentRequest) -> tuple[str, str]:
        """A dynamic code's two forms, link and EMVCo payload with the amount; nothing for what shows no code."""
        if request.channel != Channel.DYNAMIC_CODE.value:
            return "", ""
        merchant = self._merchants.merchant(request.merchant_id)
        shop = self._merchants.shop_of(request.merchant_id, request.shop_id)
        payload = self._plates.site.emvco(request_plate_id(request.id), merchant, shop, request.amount)
        return self.link(request), payload

    def link(self, request: PaymentRequest) -> str:
        """The first of `texts` alone, at a tenth of the price; nothing for what shows no code."""
        if request.channel != Channel.DYNAMIC_CODE.value:
            return ""
        return self._plates.site.url(request_plate_id(request.id))

    # Payments.

    def request(self, request_id: int) -> PaymentRequest:
        """Refuses REQUEST_UNKNOWN."""
        request = self._all.requests.get(request_id)
        if request is None:
            raise Refusal(RequestReason.REQUEST_UNKNOWN)
        if request.door:
            self.gateway.look_up(request)
        return request

    def received(self, request_id: int, payment: Any) -> None:
        """A payment for a request completed, and its money is there: behind `paid`, in the same decision."""
        request = self._all.requests.get(request_id)
        if request is not None and request.door:
            self.gateway.received(request, payment)

    def claim(self, request_id: int, payment_id: int, now_ns: int, payer: str = "") -> PaymentRequest:
        """Let a payment be the one that may pay the request: see `PaymentRequest.claim`, `Gateway.check_payer`."""
        request = self.request(request_id)
        if request.door:
            self.gateway.check_payer(request, payer)
        return self._put(request, request.claim(payment_id, now_ns))

    def release(self, request_id: int, payment_id: int) -> PaymentRequest:
        """The payment failed: see `PaymentRequest.release`."""
        request = self.request(request_id)
        return self._put(request, request.release(payment_id, self._clock.now_ns()))

    def paid(self, request_id: int, payment_id: int) -> PaymentRequest:
        """The payment completed: see `PaymentRequest.paid`."""
        request = self.request(request_id)
        return self._put(request, request.paid(payment_id, self._clock.now_ns()))

    def payee(self, request_or_code_id: int, now_ns: int) -> Payee:
        """
        Who is paid by a request or a static code, and on what terms.

        Refuses:  CODE_UNKNOWN; CODE_INACTIVE; REQUEST_ALREADY_PAID, REQUEST_CANCELLED, REQUEST_EXPIRED, REQUEST_CLAIMED;
                  MERCHANT_SUSPENDED, MERCHANT_CLOSED; SHOP_CLOSED; who may not receive.
        """
        if minted_ms(request_or_code_id) == 0:  # A merchant's plate is a short number, and nothing else is.
            return self._plate_payees.of(request_or_code_id, now_ns)
        request = self._all.requests.get(request_or_code_id)
        if request is not None:
            return self._requests_payee(request, now_ns)
        return self._persons_payee(_known(lambda: self._people.personal_code(request_or_code_id)), now_ns)

    def resolve(self, text: str) -> Resolved | None:
        """
        Whose code this is and what it asks for; None for a code that isn't ours.

        Refuses:  what can't be read as a code; as `payee` for one of ours; CURRENCY_DIFFERS if a foreign code asks for
                  an amount of a currency that its merchant doesn't take.
        """
        text = text.strip(" \t\r\n")
        now_ns = self._clock.now_ns()
        own = self._plates.site.plate_prefix
        if text.startswith(own):  # Most are, and as we wrote them: what follows must be an id, so nothing is disguised.
            payee = self._own_payee(read_plate_id(text[len(own) :]), now_ns)
            return Resolved(payee.request_id, payee)
        content = scanned.read(text).content
        plate_id = self._own_plate_id(content)
        if plate_id is not None:
            payee = self._own_payee(plate_id, now_ns)
            return Resolved(payee.request_id, payee)
        for identity in identities(content):
            plate = self._plates.find_foreign(identity)
            if plate is not None:
                payee = _asking(self._plates_payee(plate, now_ns), content)
                return Resolved(payee.request_id, payee)
        return None

    def _own_plate_id(self, content: scanned.Content) -> PlateId | None:
        if isinstance(content, Link) and self._plates.site.is_ours(content):
            return read_plate(str(content)).id
        if isinstance(content, MerchantPresentedCode):
            found = plates_of_the_network.emvco_plate(content)
            if found is not None and found[0] == self._plates.site.node_id:
                return found[1]
        return None

    def _own_payee(self, plate_id: PlateId, now_ns: int) -> Payee:
        match plate_id.kind:
            case PlateKind.PERSON:
                code = _known(lambda: self._people.personal_code_on(plate_id))
                # As the payment will ask, by the code's id: people mint those, and could name a request or plate.
                payee = self.payee(code.id, now_ns)
                if payee.user_id != code.user_id:
                    raise Refusal(CodeReason.CODE_UNKNOWN)
                return payee
            case PlateKind.REQUEST | PlateKind.MERCHANT:
                return self.payee(code_id(plate_id), now_ns)
            case PlateKind.RED_PACKET:  # The other way round: whoever has it is paid. See `marketing.red_packets`.
                raise Refusal(CodeReason.CODE_IS_RED_PACKET)
            case PlateKind.HOLD:
                raise Refusal(CodeReason.CODE_ASKS_TO_HOLD)

    def _requests_payee(self, request: PaymentRequest, now_ns: int) -> Payee:
        request.check_payable(now_ns)
        if request.door:
            self.gateway.seen(request)
        assert request.merchant_id, "a person's requests are made for one payment, and never open"
        return self._merchants_payee(
            request.id,
            request.merchant_id,
            request.shop_id,
            now_ns,
            channel=Channel(request.channel),
            amount=request.amount,
            remark=request.remark,
            expires_ns=request.expires_ns,
        )

    def _plate_payee(self, plate_id: int, now_ns: int) -> tuple[Payee, int]:
        """The payee of a plate, and until when it stays the same if nothing is changed."""
        plate = self._plates.find(plate_id)
        if plate is None:
            raise Refusal(CodeReason.CODE_UNKNOWN)
        payee = self._plates_payee(plate, now_ns)
        fees = self._merchants.fees(plate.merchant_id)
        return payee, min((fee.applies_from_ns for fee in fees if fee.applies_from_ns > now_ns), default=2**63)

    def _plates_payee(self, plate: Plate, now_ns: int) -> Payee:
        plate.check_active()
        return self._merchants_payee(
            plate.id, plate.merchant_id, plate.shop_id, now_ns, channel=Channel.STATIC_CODE, is_static=True
        )

    def _merchants_payee(
        self,
        request_id: int,
        merchant_id: int,
        shop_id: int,
        now_ns: int,
        *,
        channel: Channel,
        is_static: bool = False,
        amount: int = 0,
        remark: str = "",
        expires_ns: int = 0,
    ) -> Payee:
        merchant = self._merchants.merchant(merchant_id)
        shop = self._merchants.shop_of(merchant_id, shop_id)
        fee = self._merchants.fee(merchant_id, now_ns)
        merchant.check_open()
        if shop is not None:
            shop.check_open()
        return Payee(
            request_id=request_id,
            account=chart.merchant_account(merchant_id, currency_of(merchant.currency)),
            kind=PayeeKind.MERCHANT,
            merchant_id=merchant_id,
            shop_id=shop_id,
            name=merchant.name,
            shop_name=shop.name if shop is not None else "",
            mcc=merchant.mcc,
            fee_bps=fee.fee_bps,
            fee_version=fee.version,
            amount=amount,
            currency=merchant.currency,
            channel=channel,
            is_static=is_static,
            remark=remark,
            expires_ns=expires_ns,
        )

    def _persons_payee(self, code: PersonalCode, now_ns: int) -> Payee:
        user = self._people.user(code.user_id)
        if not code.active:
            raise Refusal(MerchantReason.CODE_INACTIVE)
        user.may_receive(now_ns)
        return Payee(
            request_id=code.id,
            account=user.wallet_account,
            kind=PayeeKind.PERSON,
            user_id=user.id,
            name=user.masked_name,
            amount=code.amount,
            currency=code.currency,
            channel=Channel.PERSONAL_CODE,
            is_static=True,
            remark=code.remark,
        )

    def _put(self, known: PaymentRequest, moved: PaymentRequest) -> PaymentRequest:
        if moved is not known:
            self._all.requests.put(moved)
        return moved


def _known(personal_code: Callable[[], PersonalCode]) -> PersonalCode:
    """The personal code; a code that people don't know is known to nobody here. Refuses CODE_UNKNOWN."""
    try:
        return personal_code()
    except Refusal as refusal:
        if refusal.reason.kind is Kind.NOT_FOUND:
            raise Refusal(CodeReason.CODE_UNKNOWN) from None
        raise


def _asking(payee: Payee, content: scanned.Content) -> Payee:
    """The payee of a foreign code, asking for the amount that the code names, if it does. Refuses CURRENCY_DIFFERS."""
    if not isinstance(content, MerchantPresentedCode | UpiLink) or content.amount_minor is None:
        return payee
    if content.currency.alpha != payee.currency:
        raise Refusal(RequestReason.CURRENCY_DIFFERS, asked=content.currency.alpha, offered=payee.currency)
    return msgspec.structs.replace(payee, amount=content.amount_minor)

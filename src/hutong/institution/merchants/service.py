"""Taking merchants on, their fees, shops and staff keys."""

from collections.abc import Callable

import msgspec

from hutong.institution import chart
from hutong.institution.key_token import CALLERS_ID_LENGTH_MAX, SECRET_BYTES, KeyTokens
from hutong.institution.merchants import fee as fees
from hutong.institution.merchants.fee import Fee
from hutong.institution.merchants.merchant import (
    NAME_LENGTH_MAX,
    Merchant,
    MerchantProfile,
    MerchantStatus,
    check_same,
)
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.shop import Shop, ShopProfile
from hutong.institution.merchants.shop import shop_id as shop_id_of
from hutong.institution.merchants.staff_key import (
    SESSION_PREFIX,
    Right,
    Role,
    StaffKey,
)
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.kernel.text import check_text
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN


class MerchantService:
    """
    The institution's merchants. What takes a `StaffKey` answers to that key alone (invariant 8); the rest is for the
    operator and for the services above.
    """

    def __init__(
        self, node: NodeRuntime, repository: MerchantRepository, ledger: LedgerEngine, *, pepper: bytes
    ) -> None:
        self._journal = node.journal
        self._clock = node.clock
        self._mint = node.mint
        self._randomness = node.randomness
        self._all = repository
        self._ledger = ledger
        self._tokens = KeyTokens(pepper, "sk", "staff key")
        self.session_key: Callable[[str], StaffKey] = _nobody_signs_in

    async def start(self) -> None:
        """Open the accounts that a crash kept from being opened, behind the rows of the merchants."""
        for merchant in await self._all.merchants.load_since(max(0, self._journal.position - UNFINISHED_WITHIN)):
            self._open(merchant)
        self._journal.seal()

    # The operator.

    def onboard(self, profile: MerchantProfile, fee_bps: int) -> Merchant:
        """
        Take a merchant on: active, with an account, paying `fee_bps` from now on.

        Refuses:  what `MerchantProfile.checked` refuses; CURRENCY_UNKNOWN; FEE_OUT_OF_RANGE; REFERENCE_REUSED.
        Repeats:  the merchant as it is now.
        """
        profile = profile.checked()
        currency_of(profile.currency)
        known = self._all.merchants.find("reference", profile.reference)
        if known:
            (merchant,) = known
            check_same(profile.reference, merchant, profile)
            first = min(self.fees(merchant.id), key=lambda fee: fee.version)
            if first.fee_bps != fee_bps:
                raise Refusal(MerchantReason.REFERENCE_REUSED, field="fee_bps", reference=profile.reference)
        else:
            now_ns = self._clock.now_ns()
            merchant = Merchant(
                id=self._mint.mint(),
                **msgspec.structs.asdict(profile),
                status=MerchantStatus.ACTIVE,
                created_ns=now_ns,
                changed_ns=now_ns,
            )
            fee = fees.first_fee(merchant.id, fee_bps, now_ns)
            self._all.merchants.put(merchant)
            self._all.fees.put(fee)
        self._open(merchant)
        return merchant

    def suspend(self, merchant_id: int) -> Merchant:
        """Let the merchant take no new payments until `resume`. Repeats: as it is. Refuses MERCHANT_CLOSED."""
        return self._move(merchant_id, MerchantStatus.SUSPENDED)

    def resume(self, merchant_id: int) -> Merchant:
        """Let the merchant take payments again. Repeats: as it is. Refuses MERCHANT_CLOSED."""
        return self._move(merchant_id, MerchantStatus.ACTIVE)

    def close(self, merchant_id: int) -> Merchant:
        """Let the merchant take no new payments for good. Its account stays open for refunds and what is under way."""
        return self._move(merchant_id, MerchantStatus.CLOSED)

    def change_fee(self, merchant_id: int, version: int, fee_bps: int, applies_from_ns: int | None) -> Fee:
        """
        Decide the fee's next version, which applies from an instant on, or at once if that is None.

        Refuses:  MERCHANT_UNKNOWN; FEE_VERSION_TAKEN if `version` is another fee or not the next; FEE_OUT_OF_RANGE;
                  FEE_CHANGE_IN_THE_PAST.
        Repeats:  the version, as decided.
        """
        self.merchant(merchant_id)
        known = self.fees(merchant_id)
        for fee in known:
            if fee.version == version:
                for field, wanted in (("fee_bps", fee_bps), ("applies_from_ns", applies_from_ns)):
                    if wanted is not None and getattr(fee, field) != wanted:
                        raise Refusal(
                            MerchantReason.FEE_VERSION_TAKEN, field=field.removesuffix("_ns"), version=version
                        )
                return fee
        now_ns = self._clock.now_ns()
        decided = fees.next_fee(known, fee_bps, now_ns if applies_from_ns is None else applies_from_ns, now_ns)
        if decided.version != version:
            raise Refusal(MerchantReason.FEE_VERSION_TAKEN, field="version", version_next=decided.version)
        self._all.fees.put(decided)
        return decided

    def issue_owner_key(self, merchant_id: int, name: str, callers_id: str = "") -> tuple[StaffKey, str]:
        """A key with every right over the merchant, and its token. Repeats: as `issue_key`."""
        self.merchant(merchant_id)
        return self._issue(merchant_id, Role.OWNER, name, 0, callers_id)

    # Whoever asks about a merchant.

    def merchant(self, merchant_id: int) -> Merchant:
        """Refuses MERCHANT_UNKNOWN."""
        merchant = self._all.merchants.get(merchant_id)
        if merchant is None:
            raise Refusal(MerchantReason.MERCHANT_UNKNOWN)
        return merchant

    def merchant_by_reference(self, reference: str) -> Merchant:
        """The merchant of the operator's number. Refuses MERCHANT_UNKNOWN."""
        for merchant in self._all.merchants.find("reference", reference):
            return merchant
        raise Refusal(MerchantReason.MERCHANT_UNKNOWN)

    def has_reference(self, reference: str) -> bool:
        """Whether a merchant has this number of the operator's."""
        return bool(self._all.merchants.find("reference", reference))

    def fees(self, merchant_id: int) -> list[Fee]:
        """Every version of the merchant's fee, in order."""
        return sorted(self._all.fees.find("merchant_id", merchant_id), key=lambda fee: fee.version)

    @property
    def changes(self) -> int:
        """See `MerchantRepository.changes`."""
        return self._all.changes

    def fee(self, merchant_id: int, now_ns: int) -> Fee:
        """The fee in force."""
        return fees.fee_at(self._all.fees.find("merchant_id", merchant_id), now_ns)

    def shop_of(self, merchant_id: int, shop_id: int) -> Shop | None:
        """The merchant's shop, None for no shop at all (0). Refuses SHOP_UNKNOWN."""
        if shop_id == 0:
            return None
        shop = self._all.shops.get(shop_id)
        if shop is None or shop.merchant_id != merchant_id:
            raise Refusal(MerchantReason.SHOP_UNKNOWN)
        return shop

    def shops_of(self, merchant_id: int) -> list[Shop]:
        """All the merchant's shops, oldest first."""
        return self._all.shops.find("merchant_id", merchant_id)

    def keys_of(self, merchant_id: int) -> list[StaffKey]:
        """All the merchant's keys, revoked ones too, oldest first."""
        return self._all.staff_keys.find("merchant_id", merchant_id)

    # Shops.

    def open_shop(self, key: StaffKey, profile: ShopProfile) -> Shop:
        """
        Open a shop.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; what `ShopProfile.checked` refuses; MERCHANT_CLOSED; REFERENCE_REUSED.
        Repeats:  the shop as it is now.
        """
        _check_manager(key)
        profile = profile.checked()
        new_id = shop_id_of(key.merchant_id, profile.reference)
        shop = self._all.shops.get(new_id)
        if shop is not None:
            check_same(profile.reference, shop, profile)
            return shop
        self._check_not_closed(key.merchant_id)
        now_ns = self._clock.now_ns()
        shop = Shop(
            id=new_id,
            merchant_id=key.merchant_id,
            **msgspec.structs.asdict(profile),
            is_open=True,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._all.shops.put(shop)
        return shop

    def close_shop(self, key: StaffKey, shop_id: int) -> Shop:
        """Close a shop for good. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, SHOP_UNKNOWN. Repeats: the shop, closed."""
        _check_manager(key)
        shop = self.shop(key, shop_id)
        closed = shop.closed(self._clock.now_ns())
        if closed is not shop:
            self._all.shops.put(closed)
        return closed

    def shop(self, key: StaffKey, shop_id: int) -> Shop:
        """Refuses SHOP_UNKNOWN, for a shop the key doesn't see just as for none."""
        shop = self._all.shops.get(shop_id)
        if shop is None or not key.sees(shop.merchant_id, shop.id):
            raise Refusal(MerchantReason.SHOP_UNKNOWN)
        return shop

    def shops(self, key: StaffKey) -> list[Shop]:
        """The shops the key sees, oldest first."""
        found = self._all.shops.find("merchant_id", key.merchant_id)
        return [shop for shop in found if key.sees(shop.merchant_id, shop.id)]

    # Staff keys.

    def key(self, token: str) -> StaffKey:
        """Whose token this is: a key's, or that of a member of staff who is signed in. Refuses KEY_NOT_ACCEPTED, KEY_REVOKED."""
        if token.startswith(SESSION_PREFIX):
            return self.session_key(token)
        return self._tokens.whose(token, self._all.staff_keys.get)

    def issue_key(
        self, key: StaffKey, role: Role, name: str, shop_id: int, callers_id: str = ""
    ) -> tuple[StaffKey, str]:
        """
        A key for a colleague, for one shop or for all (0), and its token.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; SHOP_UNKNOWN; the text refusals; STAFF_KEY_TAKEN, naming the field.
        Repeats:  under the same `callers_id` the same key, for SHOWN_AGAIN_NS with its token, afterwards without.
                  Without one, another key.
        """
        _check_manager(key)
        self.shop_of(key.merchant_id, shop_id)
        return self._issue(key.merchant_id, role, name, shop_id, callers_id)

    def rotate_key(self, key: StaffKey, key_id: int, rotation_id: str = "") -> tuple[StaffKey, str]:
        """
        A new token for a key; the old one is no good from now on. Whoever can't have that issues a second key first.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; STAFF_KEY_UNKNOWN; KEY_REVOKED; the text refusals.
        Repeats:  the last rotation under its own `rotation_id`: as `issue_key`. Without one, another token.
        """
        check_text("rotation_id", rotation_id, length_max=CALLERS_ID_LENGTH_MAX, empty=True)
        rotated = self._managed_key(key, key_id)
        if rotated.revoked_ns:
            raise Refusal(MerchantReason.KEY_REVOKED)
        if rotation_id and rotated.rotation_id == rotation_id:
            return rotated, self._tokens.shown_again(rotated, self._clock.now_ns())
        rotated = msgspec.structs.replace(rotated, rotated_ns=self._clock.now_ns(), rotation_id=rotation_id)
        return self._put_key(rotated, can_show_again=bool(rotation_id))

    def revoke_key(self, key: StaffKey, key_id: int) -> StaffKey:
        """End a key. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, STAFF_KEY_UNKNOWN. Repeats: the key, revoked."""
        revoked = self._managed_key(key, key_id)
        if not revoked.revoked_ns:
            revoked = msgspec.structs.replace(revoked, revoked_ns=self._clock.now_ns())
            self._all.staff_keys.put(revoked)
        return revoked

    def keys(self, key: StaffKey) -> list[StaffKey]:
        """The merchant's keys, revoked ones too, oldest first. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_manager(key)
        return self._all.staff_keys.find("merchant_id", key.merchant_id)

    def _open(self, merchant: Merchant) -> None:
        """Open its account; what is open already answers `exists`."""
        self._ledger.create_accounts([chart.merchant(merchant.id, currency_of(merchant.currency))], _opened)

    def _move(self, merchant_id: int, status: MerchantStatus) -> Merchant:
        merchant = self.merchant(merchant_id)
        moved = merchant.moved_to(status, self._clock.now_ns())
        if moved is not merchant:
            self._all.merchants.put(moved)
        return moved

    def _check_not_closed(self, merchant_id: int) -> None:
        if self.merchant(merchant_id).status == MerchantStatus.CLOSED:
            raise Refusal(MerchantReason.MERCHANT_CLOSED)

    def _issue(self, merchant_id: int, role: Role, name: str, shop_id: int, callers_id: str) -> tuple[StaffKey, str]:
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        check_text("key_id", callers_id, length_max=CALLERS_ID_LENGTH_MAX, empty=True)
        key_id = derive(merchant_id, f"staff-key/{callers_id}") if callers_id else self._mint.mint()
        known = self._all.staff_keys.get(key_id) if callers_id else None
        if known is not None:
            for field, was, wanted in (
                ("role", known.role, role),
                ("name", known.name, name),
                ("shop_id", known.shop_id, shop_id),
            ):
                if was != wanted:
                    raise Refusal(MerchantReason.STAFF_KEY_TAKEN, field=field)
            return known, "" if known.rotated_ns > known.created_ns else self._tokens.shown_again(
                known, self._clock.now_ns()
            )
        now_ns = self._clock.now_ns()
        issued = StaffKey(
            id=key_id,
            merchant_id=merchant_id,
            shop_id=shop_id,
            role=role,
            name=name,
            token_hash=b"",
            created_ns=now_ns,
            rotated_ns=now_ns,
            revoked_ns=0,
        )
        return self._put_key(issued, can_show_again=bool(callers_id))

    def _put_key(self, key: StaffKey, *, can_show_again: bool) -> tuple[StaffKey, str]:
        """Give the key a new token: one that can be shown again, or one that nobody can."""
        secret = self._tokens.derived_secret(key) if can_show_again else self._randomness.randbytes(SECRET_BYTES)
        token = self._tokens.token(key.id, secret)
        key = msgspec.structs.replace(key, token_hash=self._tokens.hashed(token))
        self._all.staff_keys.put(key)
        return key, token

    def _managed_key(self, key: StaffKey, key_id: int) -> StaffKey:
        _check_manager(key)
        managed = self._all.staff_keys.get(key_id)
        if managed is None or not key.sees(managed.merchant_id, managed.shop_id):
            raise Refusal(MerchantReason.STAFF_KEY_UNKNOWN)
        return managed


def _check_manager(key: StaffKey) -> None:
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()


def _nobody_signs_in(_token: str) -> StaffKey:
    raise Refusal(MerchantReason.KEY_NOT_ACCEPTED)


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in {AccountStatus.CREATED, AccountStatus.EXISTS}, statuses

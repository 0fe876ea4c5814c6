"""Accounts at the gateways: made for a merchant by its owner, found by the number its software names."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from itertools import count

import msgspec

from hutong.gateways import keys
from hutong.gateways.account import (
    ACCOUNTS,
    SELLERS,
    Account,
    AccountState,
    AlipayAccount,
    AlipayFacts,
    AlipaySecrets,
    Caller,
    GatewayAccount,
    GatewayKind,
    MerchantKey,
    Signing,
    WechatAccount,
    WechatFacts,
    WechatSecrets,
    number_key,
    seller_number,
)
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.reasons import GatewayReason
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, Role, StaffKey
from hutong.institution.notices.webhook import check_url
from hutong.institution.payments.payment import check_new_id, check_same
from hutong.institution.sealing import SealingKeys
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.rate_limit import HotCount
from hutong.runtime.shelf import Shelf, decided

ACCOUNTS_MAX = 50  # Of one merchant, at each gateway.
NAME_LENGTH_MAX = 64
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SECRET_LETTERS = 32
_AES_BYTES = 16


class AccountDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is said when an account is made. `public_key` is PEM; its private half never comes here."""

    account_id: int  # The caller's own, minted.
    kind: GatewayKind
    name: str
    public_key: str
    signing: Signing = Signing.PUBLIC_KEY
    role: Role = Role.OWNER
    shop_id: int = 0
    partners: tuple[str, ...] = ()


class AccountService:
    """What takes a `StaffKey` answers to the owner's alone. Everything may raise `Cold` before it appends anything."""

    def __init__(
        self, node: NodeRuntime, merchants: MerchantService, sealing: SealingKeys, platform: PlatformService
    ) -> None:
        self._node = node
        self._merchants = merchants
        self._sealing = sealing
        self._platform = platform
        self._all = Shelf(ACCOUNTS, node.journal, node.store, by=("number_key", "merchant_id"))
        self._open: dict[int, tuple[GatewayAccount, Account]] = {}
        self._calls = HotCount(node.clock)
        self.private_urls = False  # Whether merchants may be called back in a private network.
        self.on_changed: list[Callable[[Account], None]] = []  # Made or changed; within the decision.

    # For whoever calls by a number.

    def wechatpay(self, mchid: str) -> WechatAccount:
        """Refuses ACCOUNT_UNKNOWN."""
        found = self.by_number(GatewayKind.WECHATPAY, mchid)
        assert isinstance(found, WechatAccount)
        return found

    def alipay(self, app_id: str) -> AlipayAccount:
        """Refuses ACCOUNT_UNKNOWN."""
        found = self.by_number(GatewayKind.ALIPAY, app_id)
        assert isinstance(found, AlipayAccount)
        return found

    def by_number(self, kind: GatewayKind, number: str) -> Account:
        """Refuses ACCOUNT_UNKNOWN, for one that was removed just so."""
        for row in self._all.find("number_key", number_key(kind, number)):
            if row.state == AccountState.ACTIVE:
                return self.opened(row)
        raise Refusal(GatewayReason.ACCOUNT_UNKNOWN, number=number)

    def count(self, account: Account) -> None:
        """One call of an account that has proved itself. Refuses TOO_MANY_REQUESTS."""
        self._calls.check(account.row.id)

    def partners_of(self, merchant_id: int) -> list[Caller]:
        """Who may act for a merchant, or for a shop of its, and for which account of its. May be cold."""
        found = []
        for row in self._all.find("merchant_id", merchant_id):
            if row.state != AccountState.ACTIVE:
                continue
            merchant = self.opened(row)
            for number in merchant.facts.partners:
                rows = self._all.find("number_key", number_key(GatewayKind(row.kind), number))
                active = (each for each in rows if each.state == AccountState.ACTIVE)
                found += [Caller(self.opened(each), merchant) for each in active]
        return found

    def account(self, account_id: int) -> Account:
        """By our own id, removed or not. Refuses ACCOUNT_UNKNOWN."""
        row = self._all.get(account_id)
        if row is None:
            raise Refusal(GatewayReason.ACCOUNT_UNKNOWN)
        return self.opened(row)

    def opened(self, row: GatewayAccount) -> Account:
        """With its facts read and its secrets unsealed: once for each version."""
        known = self._open.get(row.id)
        if known is not None and known[0] is row:
            return known[1]
        secrets = self._sealing.unseal(row.sealed, row.seal_label)
        account: Account
        if row.kind == GatewayKind.WECHATPAY:
            facts = msgspec.json.decode(row.facts, type=WechatFacts)
            account = WechatAccount(row, facts, msgspec.json.decode(secrets, type=WechatSecrets))
        else:
            alipay = msgspec.json.decode(row.facts, type=AlipayFacts)
            account = AlipayAccount(row, alipay, msgspec.json.decode(secrets, type=AlipaySecrets))
        self._open[row.id] = row, account
        return account

    # For the merchant's owner.

    async def make(self, key: StaffKey, draft: AccountDraft) -> Account:
        """See `create`; the first account of the institution brings the institution's own keys with it."""
        await self._platform.prepare()
        return await decided(self._node.journal, lambda: self.create(key, draft))

    def create(self, key: StaffKey, draft: AccountDraft) -> Account:
        """
        Make an account, with numbers and secrets of its own and a certificate for the merchant's key.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; SHOP_UNKNOWN; ID_MALFORMED, ID_FROM_THE_FUTURE; the text refusals;
                  KEY_UNUSABLE; ACCOUNTS_TOO_MANY; MERCHANT_CLOSED.
        Repeats:  the account; ID_TAKEN, naming the field, for other content.
        """
        _check_owner(key)
        check_new_id("account_id", draft.account_id, self._node.clock.now_ns())
        check_text("name", draft.name, length_max=NAME_LENGTH_MAX)
        keys.public_key(draft.public_key)
        known = self._all.get(draft.account_id)
        if known is not None:
            check_same("merchant_id", known.merchant_id, key.merchant_id)
            check_same("kind", known.kind, draft.kind.value)
            check_same("name", known.name, draft.name)
            return self.opened(known)
        of_merchant = self._all.find("merchant_id", key.merchant_id)
        if sum(row.kind == draft.kind and row.state == AccountState.ACTIVE for row in of_merchant) >= ACCOUNTS_MAX:
            raise Refusal(GatewayReason.ACCOUNTS_TOO_MANY, accounts_max=ACCOUNTS_MAX)
        self._merchants.merchant(key.merchant_id).check_open()
        self._merchants.shop_of(key.merchant_id, draft.shop_id)
        number = self._number(draft.kind, draft.account_id)
        certificate = self._platform.certify(f"{draft.name} {number}", draft.public_key)
        facts: WechatFacts | AlipayFacts
        if draft.kind is GatewayKind.WECHATPAY:
            merchant_key = MerchantKey(serial=keys.certificate_serial(certificate), pem=certificate)
            appid = f"wx{self._node.randomness.getrandbits(64):016x}"
            facts = WechatFacts(appids=(appid,), keys=(merchant_key,), signing=draft.signing, partners=draft.partners)
        else:
            merchant_key = MerchantKey(serial=keys.certificate_sn(certificate), pem=certificate)
            facts = AlipayFacts(
                seller_id=seller_number(number),
                key=merchant_key,
                signing=draft.signing,
                partners=draft.partners,
            )
        now_ns = self._node.clock.now_ns()
        row = GatewayAccount(
            id=draft.account_id,
            merchant_id=key.merchant_id,
            shop_id=draft.shop_id,
            role=draft.role.value,
            kind=draft.kind.value,
            number=number,
            number_key=number_key(draft.kind, number),
            name=draft.name,
            facts=msgspec.json.encode(facts),
            sealed=b"",
            state=AccountState.ACTIVE,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        row = msgspec.structs.replace(row, sealed=self._fresh_secrets(row))
        return self._put(row)

    def accounts(self, key: StaffKey) -> list[Account]:
        """The merchant's, those in use, oldest first. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_owner(key)
        rows = self._all.find("merchant_id", key.merchant_id)
        return [self.opened(row) for row in rows if row.state == AccountState.ACTIVE]

    def own(self, key: StaffKey, account_id: int) -> Account:
        """One of the merchant's own. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, ACCOUNT_UNKNOWN."""
        _check_owner(key)
        row = self._all.get(account_id)
        if row is None or row.merchant_id != key.merchant_id:
            raise Refusal(GatewayReason.ACCOUNT_UNKNOWN)
        return self.opened(row)

    def remove(self, key: StaffKey, account_id: int) -> Account:
        """Let nobody in by it any more. Refuses as `own`. Repeats: the account, removed."""
        account = self.own(key, account_id)
        if account.row.state == AccountState.REMOVED:
            return account
        return self._changed(account.row, state=AccountState.REMOVED.value)

    def add_key(self, key: StaffKey, account_id: int, public_key: str) -> Account:
        """
        Take another key of the merchant's, with a certificate; at the Alipay gateway it takes the place of the one before.

        Refuses:  as `own`; KEY_UNUSABLE.
        """
        account = self.own(key, account_id)
        row = account.row
        certificate = self._platform.certify(f"{row.name} {row.number}", public_key)
        if isinstance(account, WechatAccount):
            added = MerchantKey(serial=keys.certificate_serial(certificate), pem=certificate)
            facts = msgspec.json.encode(msgspec.structs.replace(account.facts, keys=(*account.facts.keys, added)))
        else:
            added = MerchantKey(serial=keys.certificate_sn(certificate), pem=certificate)
            facts = msgspec.json.encode(msgspec.structs.replace(account.facts, key=added))
        return self._changed(row, facts=facts)

    def retire_key(self, key: StaffKey, account_id: int, serial: str) -> Account:
        """Accept a key no longer; the last one stays. Refuses as `own`."""
        account = self.own(key, account_id)
        if not isinstance(account, WechatAccount):
            return account
        kept = tuple(each for each in account.facts.keys if each.serial != serial)
        if not kept or len(kept) == len(account.facts.keys):
            return account
        return self._changed(account.row, facts=msgspec.json.encode(msgspec.structs.replace(account.facts, keys=kept)))

    def renew_secrets(self, key: StaffKey, account_id: int) -> Account:
        """Make other secrets; those before are no good any more. Refuses as `own`."""
        row = self.own(key, account_id).row
        return self._changed(row, sealed=self._fresh_secrets(row))

    def settle(
        self,
        key: StaffKey,
        account_id: int,
        *,
        partners: Sequence[str] | None = None,
        signing: Signing | None = None,
        appids: Sequence[str] | None = None,
        sharing_url: str | None = None,
    ) -> Account:
        """
        Who else may act for it, with what the platform signs for it, where it is told of splits.

        Refuses:  as `own`; NOTIFY_URL_INVALID.
        """
        if sharing_url:
            try:
                check_url(sharing_url, private_allowed=self.private_urls)
            except Refusal:
                raise Refusal(GatewayReason.NOTIFY_URL_INVALID, field="sharing_url") from None
        account = self.own(key, account_id)
        facts = account.facts
        if partners is not None:
            facts = msgspec.structs.replace(facts, partners=tuple(partners))
        if signing is not None:
            facts = msgspec.structs.replace(facts, signing=signing)
        if appids is not None and isinstance(facts, WechatFacts):
            facts = msgspec.structs.replace(facts, appids=tuple(appids))
        if sharing_url is not None and isinstance(facts, WechatFacts):
            facts = msgspec.structs.replace(facts, sharing_url=sharing_url)
        return self._changed(account.row, facts=msgspec.json.encode(facts))

    def _changed(self, row: GatewayAccount, **changes: object) -> Account:
        moved = msgspec.structs.replace(row, changed_ns=self._node.clock.now_ns(), **changes)
        return self._put(moved)

    def _put(self, row: GatewayAccount) -> Account:
        self._all.put(row)
        account = self.opened(row)
        for hear in self.on_changed:
            hear(account)
        return account

    def _fresh_secrets(self, row: GatewayAccount) -> bytes:
        secrets: WechatSecrets | AlipaySecrets
        if row.kind == GatewayKind.WECHATPAY:
            secrets = WechatSecrets(api_v3_key=self._secret(), api_v2_key=self._secret())
        else:
            secrets = AlipaySecrets(aes_key=base64.b64encode(self._node.randomness.randbytes(_AES_BYTES)).decode())
        return self._sealing.seal(msgspec.json.encode(secrets), row.seal_label)

    def _number(self, kind: GatewayKind, account_id: int) -> str:
        """A number nobody has: made of the account's id, so that a decision that is made again looks for the same."""
        for drawn in count():
            if kind is GatewayKind.WECHATPAY:
                number = f"16{_digits(account_id, f'mchid/{drawn}', 8)}"
            else:
                number = f"2021{SELLERS}{_digits(account_id, f'app_id/{drawn}', 11)}"
            if not self._all.find("number_key", number_key(kind, number)):
                return number
        raise AssertionError("there are numbers enough")

    def _secret(self) -> str:
        drawn = self._node.randomness.getrandbits(256)
        letters = []
        for _ in range(_SECRET_LETTERS):
            drawn, letter = divmod(drawn, len(_LETTERS))
            letters.append(_LETTERS[letter])
        return "".join(letters)


def _check_owner(key: StaffKey) -> None:
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()


def _digits(account_id: int, use: str, digits: int) -> str:
    drawn = hashlib.blake2b(f"{account_id:032x}/{use}".encode(), digest_size=16).digest()
    return f"{int.from_bytes(drawn) % 10**digits:0{digits}d}"

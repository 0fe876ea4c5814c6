"""The link between a wallet and a bank: the bank's mandate, the wallet's linked account, and what a top-up asks for."""

import hashlib
import re
import unicodedata
from enum import StrEnum

import msgspec

from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.tables import BigInt, Integer, Table, Text, Uuid
from hutong.scheme.messages import Channel

MANDATE_PREFIX = "mandate:"
HOLD_PREFIX = "hold:"  # How a code begins that names a hold, and its node: see `institution.holds`.
SECRET_BYTES = 16
_TEXT = re.compile(rf"{MANDATE_PREFIX}[a-z][a-z0-9-]{{1,34}}:([0-9a-f]{{{2 * SECRET_BYTES}}})")  # Of a node, its token.
_ACCOUNT = re.compile(rf"({MANDATE_PREFIX}[a-z][a-z0-9-]{{1,34}}:[0-9a-f]{{32}}):account")
_PROOF = re.compile(rf"({MANDATE_PREFIX}[a-z][a-z0-9-]{{1,34}}:[0-9a-f]{{32}}):([0-9a-f]{{32}}):(\S.*)")


class Mandate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One version of a bank's user's consent that another institution may take money, so much a day.

    Its id is a hash of the token, which is nowhere kept.
    """

    id: Uuid
    user_id: Uuid
    grantee: Text  # The node that may use it.
    name: Text
    currency: Text
    daily_max: BigInt
    day: Integer  # The local day `used` is of.
    used: BigInt
    created_ns: BigInt
    revoked_ns: BigInt = 0

    def check_usable(self, grantee: str) -> None:
        """Refuses MANDATE_OF_ANOTHER and MANDATE_REVOKED."""
        if self.grantee != grantee:
            raise Refusal(PaymentReason.MANDATE_OF_ANOTHER)
        if self.revoked_ns:
            raise Refusal(PaymentReason.MANDATE_REVOKED)

    def claimed(self, grantee: str, amount: int, currency: str, day: int) -> "Mandate":
        """The mandate with `amount` of today used. Refuses, in this order, by name."""
        self.check_usable(grantee)
        if self.currency != currency:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, currency=self.currency)
        used = self.used if day == self.day else 0
        if used + amount > self.daily_max:
            raise Refusal(PaymentReason.MANDATE_LIMIT_EXCEEDED, limit=self.daily_max, left=self.daily_max - used)
        return msgspec.structs.replace(self, day=day, used=used + amount)


class BankAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a bank account that a user linked: money comes under its mandate and goes to its code."""

    id: Uuid
    user_id: Uuid
    bank: Text  # The bank's node.
    name: Text
    mandate: Text  # `mandate:<bank>:<token>`; empty: nothing can be taken from it.
    code: Text  # The personal code at the bank; empty: nothing can be sent to it.
    created_ns: BigInt
    unlinked_ns: BigInt = 0
    mark: Uuid = 0  # What its bank calls it towards us, the same for all of its mandates; 0: the bank has not said.


class TopUpState(StrEnum):
    OPEN = "OPEN"
    CLAIMED = "CLAIMED"
    PAID = "PAID"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"  # Never kept: what `state_at` says of an open one whose time is over.


class TopUp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a user's request for his own money at a bank. It is what the bank's payment pays, at most once."""

    id: Uuid  # The request's id: derived from (user, the user's own id).
    top_up_id: Uuid
    user_id: Uuid
    account: Uuid
    bank_account_id: Uuid
    amount: BigInt
    currency: Text
    state: Text
    claimed_by: Uuid = 0
    reason: Text = ""
    created_ns: BigInt
    expires_ns: BigInt

    # As a payee (`ports.Payee`):
    name = "top-up"
    shop_name = ""
    merchant_id = 0
    shop_id = 0
    mcc = "0000"
    fee_bps = 0
    channel = Channel.TOP_UP
    is_static = False
    remark = ""

    def state_at(self, now_ns: int) -> TopUpState:
        """How it stands: the kept state, or EXPIRED."""
        is_over = self.state == TopUpState.OPEN and self.expires_ns <= now_ns
        return TopUpState.EXPIRED if is_over else TopUpState(self.state)

    def refused(self, reason: str) -> "TopUp":
        """
        The bank says no, which is the end of it. Repeats: itself.

        While a payment claims it that has to be decided first: the bank's no may overtake the switch's.
        """
        match self.state:
            case TopUpState.OPEN:
                return msgspec.structs.replace(self, state=TopUpState.REJECTED, reason=reason)
            case TopUpState.CLAIMED:
                return msgspec.structs.replace(self, reason=reason)
            case _:
                return self

    def released(self) -> "TopUp":
        """The payment that claimed it was rejected: another may come, unless the bank has said that none will."""
        state = TopUpState.REJECTED if self.reason else TopUpState.OPEN
        return msgspec.structs.replace(self, state=state, claimed_by=0)


def mandate_text(bank: str, secret: bytes) -> str:
    """What the bank's user gives to the wallet."""
    return f"{MANDATE_PREFIX}{bank}:{secret.hex()}"


def mandate_id(text: str) -> int:
    """The id of the mandate that `text` names. Refuses MANDATE_MALFORMED."""
    spelled = _TEXT.fullmatch(text)
    if spelled is None:
        raise Refusal(PaymentReason.MANDATE_MALFORMED)
    digest = hashlib.blake2b(spelled[1].encode(), digest_size=16, person=b"hutong mandate").digest()
    return int.from_bytes(digest)


def bank_of(text: str) -> str:
    """The node of the payer in a mandate's text, in a proof of one, or in a hold's."""
    return text.partition(":")[2].partition(":")[0]


class Proof(msgspec.Struct, frozen=True):
    """
    The question whether a code at a bank is the wallet user's own: of who granted the mandate, under the same name.

    Its text is consulted like a code's: `mandate:<bank>:<token>:<holder>:<code>`. The holder is a hash of the name keyed
    with the mandate's token, so it tells a name to nobody, and only who was given the mandate can ask.
    """

    mandate: str
    holder: str
    code: str

    def __str__(self) -> str:
        return f"{self.mandate}:{self.holder}:{self.code}"


def proof_of(mandate: str, name: str, code: str) -> Proof:
    """What the wallet of somebody of this name asks."""
    key = hashlib.blake2b(mandate.encode(), digest_size=32, person=b"hutong holder").digest()
    spelled = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return Proof(mandate, hashlib.blake2b(spelled.encode(), key=key, digest_size=16).hexdigest(), code)


def read_proof(text: str) -> Proof:
    """The proof that `text` is. Refuses MANDATE_MALFORMED."""
    spelled = _PROOF.fullmatch(text)
    if spelled is None:
        raise Refusal(PaymentReason.MANDATE_MALFORMED)
    return Proof(spelled[1], spelled[2], spelled[3])


def account_question(mandate: str) -> str:
    """What the wallet consults to hear which account a mandate takes from: `docs/scheme/codes.md`."""
    return f"{mandate}:account"


def account_asked(text: str) -> str:
    """The mandate whose account is asked for; empty where that is not the question."""
    spelled = _ACCOUNT.fullmatch(text)
    return spelled[1] if spelled is not None else ""


def withdrawal_creditor(bank_account_id: int) -> str:
    """What a withdrawal's PIN token is bound to: known before the bank is asked."""
    return id_text("bka", bank_account_id)


MANDATES = Table("mandates", Mandate)
BANK_ACCOUNTS = Table("bank_accounts", BankAccount)
TOP_UPS = Table("top_ups", TopUp)

"""What the switch's API takes and shows. Instants are milliseconds since 1970 UTC, amounts minor units."""

from enum import Enum
from typing import Annotated

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.scheme.message import CurrencyCode, Milliseconds, NodeId, PositiveMinorUnits
from hutong.scheme.messages import TransactionStatus
from hutong.switch.fees import FeeRule, FeeSchedule
from hutong.switch.lifecycle.application import MaybeWords, PublicHex
from hutong.switch.lifecycle.key import CeremonyRow, KeyState, fingerprint
from hutong.switch.participant import Participant, ParticipantKey, RegisteredForm
from hutong.switch.payment import ClearedPayment, Decision
from hutong.switch.position import Position, SwitchBooks

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern="^[^\\x00]*$", examples=["Jing Pay 京付"])]
Url = Annotated[
    str, msgspec.Meta(max_length=200, pattern="^(https?://[^\\s\\x00]+)?$", examples=["https://jing.hutong.example"])
]
KeyId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$", examples=["jing-2026-01"])]
FormText = Annotated[
    str, msgspec.Meta(min_length=1, max_length=512, examples=["url:https://qr.jing.example/", "digits:28:18"])
]
Version = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,35}$", examples=["2026-1"])]
CapChangeId = Annotated[
    str,
    msgspec.Meta(
        description="`cap_` and 26 letters, minted by the caller", examples=["cap_01JZ8Q5V7XN8E2M4T9B3K6C0D1"]
    ),
]


class Admission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a node is and where it takes messages; no `url` for one that shares the switch's process."""

    name: Name
    participant: NodeId | None = None  # Whose node it is; by default it is its own participant's.
    url: Url = ""
    waiver: MaybeWords = ""  # Why without an application.


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the operator does it: it is on record."""

    reason: MaybeWords = ""


class ParticipantView(msgspec.Struct, frozen=True):
    """A node of a participant."""

    node: str
    participant: str
    name: str
    url: str
    status: str
    changed_at_ms: int


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key and when messages signed with it are taken."""

    public_key: PublicHex
    valid_from_ms: Milliseconds
    valid_until_ms: Milliseconds


class KeyView(msgspec.Struct, frozen=True):
    """A key; a retired one is valid until it was retired. A pending one waits for another operator to confirm it."""

    key_id: str
    node: str
    public_key: str
    valid_from_ms: int
    valid_until_ms: int
    fingerprint: str = ""
    pending: bool = False
    registered_by: str = ""  # Of one that went through two pairs of hands.
    confirmed_by: str = ""


class NewForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code form; `consented_by` is who agreed that it overlaps another's."""

    form: FormText
    consented_by: MaybeWords = ""


class FormView(msgspec.Struct, frozen=True):
    """A registered code form."""

    form: str
    node: str
    consented_by: str
    active: bool


class CodeOwner(msgspec.Struct, frozen=True):
    """Whose code it is, by which form, and the account in it as its owner knows it."""

    node: str
    form: str
    value: str


class CapChangeKind(Enum):
    """Which way a cap goes."""

    GRANT = "GRANT"
    LOWER = "LOWER"


class CapChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Raise the cap by `amount`, or take back at most `amount` of what is unused."""

    change_id: CapChangeId
    change: CapChangeKind
    amount: PositiveMinorUnits
    currency: CurrencyCode = "CNY"


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """`balance` is cap and net; `headroom` what may still be paid; `net` what the others owe (below zero: what is owed)."""

    node: str
    currency: str
    cap: int
    balance: int
    net: int
    headroom: int
    outgoing: int
    incoming: int
    reserve: int


class CapChanged(msgspec.Struct, frozen=True):
    """By how much the cap changed, and the position now."""

    change_id: str
    change: CapChangeKind
    amount: int
    position: PositionView


class BooksView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole ledger of the switch: `balanced` says that the positions are the caps less the scheme's income."""

    currency: str
    balanced: bool
    caps: int
    income: int  # Not yet settled.
    custody: int
    reserves: int
    contributions: int
    debits: int
    credits: int
    positions: list[PositionView]


class NewSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fees from an instant on: basis points by the beginning of the MCC; the longest prefix wins."""

    starts_at_ms: Milliseconds
    rules: Annotated[list[FeeRule], msgspec.Meta(max_length=1000)]


class ScheduleView(msgspec.Struct, frozen=True):
    """A published fee schedule."""

    version: str
    starts_at_ms: int
    rules: list[FeeRule]


class ClearedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment or a return as the switch knows it; one refused before it was reserved has no amounts."""

    payment_id: str
    originator: str
    status: str  # ISO 20022: PDNG, ACSC or RJCT.
    is_return: bool = False
    reason: str = ""
    iso_code: str = ""
    debtor_agent: str = ""
    creditor_agent: str = ""
    amount: int = 0
    settlement: int = 0
    switch_fee: int = 0
    currency: str = ""
    fee_version: str = ""
    settles_on: str = ""
    window: str = ""
    reserved_at_ms: int = 0
    expires_at_ms: int = 0
    decided_at_ms: int = 0


class NetworkNode(msgspec.Struct, frozen=True):
    """What everybody may know of a participant's node."""

    node: str
    participant: str
    name: str
    status: str


class NetworkView(msgspec.Struct, frozen=True, kw_only=True):
    """The network: its switch, the protocol it speaks and who takes part."""

    switch: str
    protocol_version: int
    software_version: str
    nodes: list[NetworkNode]


def participant_view(participant: Participant) -> ParticipantView:
    return ParticipantView(
        node=participant.node_id,
        participant=participant.participant_id,
        name=participant.name,
        url=participant.url,
        status=participant.status,
        changed_at_ms=participant.changed_ns // NS_PER_MS,
    )


def key_view(key: ParticipantKey | CeremonyRow, ceremony: CeremonyRow | None = None) -> KeyView:
    if isinstance(key, CeremonyRow):
        ceremony = key
    return KeyView(
        fingerprint=fingerprint(key.public_key),
        pending=ceremony is not None and ceremony.state == KeyState.PENDING.value,
        registered_by=ceremony.registered_by if ceremony else "",
        confirmed_by=ceremony.confirmed_by if ceremony else "",
        key_id=key.key_id,
        node=key.node_id,
        public_key=key.public_key.hex(),
        valid_from_ms=key.valid_from_ns // NS_PER_MS,
        valid_until_ms=key.valid_until_ns // NS_PER_MS,
    )


def form_view(form: RegisteredForm) -> FormView:
    return FormView(form=form.form, node=form.node_id, consented_by=form.consented, active=form.active)


def position_view(position: Position) -> PositionView:
    return PositionView(
        node=position.node_id,
        currency=position.currency,
        cap=position.cap_minor,
        balance=position.balance_minor,
        net=position.net_minor,
        headroom=position.headroom_minor,
        outgoing=position.outgoing_minor,
        incoming=position.incoming_minor,
        reserve=position.reserve_minor,
    )


def books_view(books: SwitchBooks) -> BooksView:
    return BooksView(
        currency=books.currency,
        balanced=books.is_balanced,
        caps=books.caps_minor,
        income=books.income_minor,
        custody=books.custody_minor,
        reserves=books.reserves_minor,
        contributions=books.contributions_minor,
        debits=books.debits_minor,
        credits=books.credits_minor,
        positions=[position_view(position) for position in books.positions],
    )


def schedule_view(schedule: FeeSchedule) -> ScheduleView:
    rules = msgspec.json.decode(schedule.rules, type=list[FeeRule])
    return ScheduleView(version=schedule.version, starts_at_ms=schedule.starts_ns // NS_PER_MS, rules=rules)


def cleared_view(payment: ClearedPayment | None, decision: Decision | None) -> ClearedView:
    """What was reserved, how it was decided, or both; one of them there is."""
    about = payment or decision
    assert about is not None
    is_return = payment is not None and payment.is_return
    view = ClearedView(
        payment_id=id_text("rtn" if is_return else "pay", about.payment_id),
        originator=about.originator,
        status=decision.status if decision else TransactionStatus.PENDING.value,
        is_return=is_return,
        settles_on=decision.settles_on if decision else "",
        window=decision.window if decision else "",
        reason=decision.reason_name if decision else "",
        iso_code=decision.reason_code if decision else "",
        decided_at_ms=decision.decided_ns // NS_PER_MS if decision else 0,
    )
    if payment is None:
        return view
    return msgspec.structs.replace(
        view,
        debtor_agent=payment.debtor_agent,
        creditor_agent=payment.creditor_agent,
        amount=payment.amount_minor,
        settlement=payment.settlement_minor,
        switch_fee=payment.switch_fee_minor,
        currency=payment.currency,
        fee_version=payment.fee_version,
        reserved_at_ms=payment.reserved_ns // NS_PER_MS,
        expires_at_ms=payment.expires_ns // NS_PER_MS,
    )

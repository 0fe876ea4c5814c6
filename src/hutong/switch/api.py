"""The switch's own API: who takes part is open; everything else is the operator's, behind a bearer token."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Controller, Request, Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong import __version__
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.kernel.money import currency_of
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.operators.api import operators_api
from hutong.operators.guard import operator_guard
from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.runtime.journal import durable
from hutong.runtime.shelf import decided
from hutong.scheme import messages
from hutong.scheme.message import NodeId
from hutong.scheme.standing import OLDER_MS, Moment, Nudge, Nudged, Standing
from hutong.switch.approval_service import CAP_CHANGE, RESUME, SUSPEND, register_approvals
from hutong.switch.lifecycle.api import Applications, Lives
from hutong.switch.lifecycle.views import keys_of
from hutong.switch.node import SwitchNode
from hutong.switch.reason import SwitchReason
from hutong.switch.recall_api import Recalls, Traces
from hutong.switch.settlement.api import Calendars, Invoices, Proofs, Reserves, Rules, Verify, Windows, own_files
from hutong.switch.views import (
    Admission,
    BooksView,
    CapChange,
    CapChanged,
    CapChangeKind,
    ClearedView,
    CodeOwner,
    FormView,
    KeyId,
    KeyView,
    NetworkNode,
    NetworkView,
    NewForm,
    NewKey,
    NewSchedule,
    ParticipantView,
    PositionView,
    ScheduleView,
    Version,
    Why,
    books_view,
    cleared_view,
    form_view,
    participant_view,
    position_view,
    schedule_view,
)

Answer = TypeVar("Answer")
_HEX_LENGTH = 32
# What differs in a cap's change when the ledger has another under its id. A lowering runs the other way, so it shows
# as another flag before it shows as another account.
_DIFFERS = {
    TransferStatus.EXISTS_WITH_DIFFERENT_FLAGS: "change",
    TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT: "amount",
    TransferStatus.EXISTS_WITH_DIFFERENT_LEDGER: "currency",
    TransferStatus.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID: "node",
    TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID: "node",
}
FIRST_OPERATOR = "operator"  # Of the node's secrets.
Switch = NamedDependency[SkipValidation[SwitchNode]]
Staff = NamedDependency[SkipValidation[Operators]]
Asked = Request[Any, Any, Any]
OlderMs = Annotated[int, QueryParameter(ge=0, description="Of this age at least.")]


def switch_api(switch: SwitchNode, operators: Operators, verify: Verify | None = None) -> list[ControllerRouterHandler]:
    """The handlers of a switch's node, for `runtime.http_app.make_app`; `verify` says who signed a request."""
    operator_only = operator_guard(switch.node, operators, reads_noted=False)
    register_approvals(switch, operators)

    def provide() -> SwitchNode:
        return switch

    wiring = {
        "switch": Provide(provide, sync_to_thread=False),
        "staff": Provide(lambda: operators, sync_to_thread=False),
    }
    operating = Router(
        "/v1",
        route_handlers=[
            Participants,
            Applications,
            Lives,
            Keys,
            Forms,
            Positions,
            FeeSchedules,
            Payments,
            Oversight,
            Windows,
            Calendars,
            Recalls,
            Traces,
            Reserves,
            Rules,
            Invoices,
            Proofs,
        ],
        dependencies=wiring,
        guards=[operator_only],
    )
    everybodys = Router("/v1", route_handlers=[network], dependencies=wiring, security=[{}])
    participants = Router("/", route_handlers=[own_files(verify)], dependencies=wiring)
    return [everybodys, operating, participants, operators_api(switch.node, operators, operator_only)]


async def _answer(switch: SwitchNode, decide: Callable[[], Answer]) -> Answer:
    return await decided(switch.node.journal, decide)


@get("/network", tags=["Network"])
async def network(switch: Switch) -> NetworkView:
    """Who takes part. Open to everybody."""
    known = await _answer(switch, switch.admission.participants)
    return NetworkView(
        switch=switch.node.node_id,
        protocol_version=messages.VERSION,
        software_version=__version__,
        nodes=[NetworkNode(each.node_id, each.participant_id, each.name, each.status) for each in known],
    )


class Participants(Controller):
    """Admission and suspension of nodes. How one applies, is certified and leaves is under *Lifecycle*."""

    path = "/participants"
    tags = ("Participants",)

    @get()
    async def list_participants(self, switch: Switch) -> list[ParticipantView]:
        """All nodes of all participants, by node id."""
        known = await _answer(switch, switch.admission.participants)
        return [participant_view(participant) for participant in known]

    @get("/{node:str}")
    async def get_participant(self, switch: Switch, node: FromPath[str]) -> ParticipantView:
        """One node. Refuses PARTICIPANT_UNKNOWN."""
        return participant_view(await _answer(switch, lambda: switch.admission.participant(node)))

    @put("/{node:str}")
    async def admit(
        self, switch: Switch, staff: Staff, request: Asked, node: FromPath[str], data: JSONBody[Admission]
    ) -> ParticipantView:
        """
        Of a known node, note its name and address. An unknown one is admitted without application and certificate, with no
        cap: that takes an admin, and is on record.

        Refuses PARTICIPANT_EXISTS, PARTICIPANT_LEFT; STEP_OUT_OF_ORDER for who has applied; OPERATOR_MAY_NOT.
        """
        _check("node", node, NodeId)

        def decide() -> ParticipantView:
            switch.lifecycle.check_by_hand(node)
            if switch.admission.stage(node) is None:
                staff.named(request.auth).check_role(Role.ADMIN)
            participant, why = data.participant or node, data.waiver or "without an application"
            admitted = switch.admission.admit(node, participant, data.name, data.url, by=request.auth, reason=why)
            return participant_view(admitted)

        return await _answer(switch, decide)

    @post("/{node:str}/suspend", status_code=200)
    async def suspend(  # Who, of whom, why.
        self, switch: Switch, staff: Staff, request: Asked, node: FromPath[str], data: JSONBody[Why | None] = None
    ) -> ParticipantView:
        """
        Admit nothing new from or to it; what is reserved is still decided.

        Refuses STEP_OUT_OF_ORDER; TWO_PEOPLE_NEEDED, where two operators must decide: propose `participant.suspend`.
        """
        staff.approvals.check_alone(SUSPEND)
        why = data.reason if data else ""
        suspended = await _answer(switch, lambda: switch.admission.suspend(node, by=request.auth, reason=why))
        return participant_view(suspended)

    @post("/{node:str}/resume", status_code=200)
    async def resume(  # Who, of whom, why.
        self, switch: Switch, staff: Staff, request: Asked, node: FromPath[str], data: JSONBody[Why | None] = None
    ) -> ParticipantView:
        """
        Let a suspended node take part again.

        Refuses STEP_OUT_OF_ORDER; TWO_PEOPLE_NEEDED, where two operators must decide: propose `participant.resume`.
        """
        staff.approvals.check_alone(RESUME)
        why = data.reason if data else ""
        resumed = await _answer(switch, lambda: switch.admission.resume(node, by=request.auth, reason=why))
        return participant_view(resumed)


class Keys(Controller):
    """What nodes sign with. Two keys overlap while a node changes from one to the other."""

    path = "/participants/{node:str}/keys"
    tags = ("Keys",)

    @get()
    async def list_keys(self, switch: Switch, node: FromPath[str]) -> list[KeyView]:
        """Every key of a node, retired ones and those that wait to be confirmed too."""
        await _answer(switch, lambda: switch.admission.participant(node))
        return keys_of(switch, node)

    @put("/{key_id:str}")
    async def add_key(  # Who, of whom, what.
        self,
        switch: Switch,
        staff: Staff,
        request: Asked,
        node: FromPath[str],
        key_id: FromPath[str],
        data: JSONBody[NewKey],
    ) -> KeyView:
        """
        Register a key: it counts once another operator has confirmed its fingerprint; at once where there is no other.

        Refuses KEY_CONFLICTS when this id is another key's, PARTICIPANT_LEFT.
        """
        _check("key_id", key_id, KeyId)
        public_key = bytes.fromhex(data.public_key)
        from_ns, until_ns = data.valid_from_ms * NS_PER_MS, data.valid_until_ms * NS_PER_MS

        def decide() -> KeyView:
            by, alone = request.auth, not staff.others_than(request.auth)
            switch.lifecycle.register_key(node, key_id, public_key, from_ns, until_ns, by=by, alone=alone)
            return next(key for key in keys_of(switch, node) if key.key_id == key_id)

        return await _answer(switch, decide)

    @delete("/{key_id:str}")
    async def retire_key(self, switch: Switch, node: FromPath[str], key_id: FromPath[str]) -> None:
        """Take nothing signed with it from now on, or give it up. Refuses KEY_UNKNOWN, also for another node's key."""

        def decide() -> None:
            if switch.lifecycle.drop_key(node, key_id):
                return
            keys = switch.admission.keys()
            if all((key.key_id, key.node_id) != (key_id, node) for key in keys):
                raise Refusal(SwitchReason.KEY_UNKNOWN, key_id=key_id)
            switch.admission.retire_key(key_id)

        await _answer(switch, decide)


class Forms(Controller):
    """Which codes are whose."""

    tags = ("Code forms",)

    @get("/participants/{node:str}/forms")
    async def list_forms(self, switch: Switch, node: FromPath[str]) -> list[FormView]:
        """The code forms of a node, withdrawn ones too."""
        await _answer(switch, lambda: switch.admission.participant(node))
        return [form_view(form) for form in switch.admission.forms() if form.node_id == node]

    @post("/participants/{node:str}/forms", status_code=200)
    async def register(self, switch: Switch, node: FromPath[str], data: JSONBody[NewForm]) -> FormView:
        """Say that codes of this form are the node's. Refuses FORM_TAKEN, and FORM_OVERLAPS without consent."""

        def decide() -> FormView:
            return form_view(switch.admission.register_form(node, data.form, consented_by=data.consented_by))

        return await _answer(switch, decide)

    @delete("/participants/{node:str}/forms")
    async def withdraw(self, switch: Switch, node: FromPath[str], form: FromQuery[str]) -> None:
        """Codes of this form are the node's no longer. Refuses FORM_UNKNOWN."""
        await _answer(switch, lambda: switch.admission.withdraw_form(node, form))

    @get("/directory")
    async def code_owner(self, switch: Switch, code: FromQuery[str]) -> CodeOwner:
        """Whose code it is. Refuses CODE_UNKNOWN, CODE_KIND_UNKNOWN and what the reader of its kind refuses."""
        match = await _answer(switch, lambda: switch.admission.directory.resolve(code))
        return CodeOwner(node=match.node, form=str(match.form), value=match.value)


class Positions(Controller):
    """What everybody owes, and how far each may go."""

    tags = ("Positions",)

    @get("/positions")
    async def books(self, switch: Switch, currency: FromQuery[str] = "CNY") -> BooksView:
        """Every position, the caps behind them and the scheme's income: the switch's whole ledger."""
        books = books_view(await switch.positions.books(currency))
        await durable(switch.node.journal)
        return books

    @get("/participants/{node:str}/position")
    async def position(self, switch: Switch, node: FromPath[str], currency: FromQuery[str] = "CNY") -> PositionView:
        """One node's position."""
        position = position_view(await switch.positions.position(node, currency_of(currency)))
        await durable(switch.node.journal)
        return position

    @post("/participants/{node:str}/cap", status_code=200)
    async def change_cap(
        self, switch: Switch, staff: Staff, node: FromPath[str], data: JSONBody[CapChange]
    ) -> CapChanged:
        """
        Raise a net debit cap, or take back what is unused of it, at most the amount asked: the answer says how much.

        The same id and content again changes nothing; other content is refused as CAP_CHANGE_CONFLICTS. Where two
        operators must decide it is refused as TWO_PEOPLE_NEEDED: propose `cap.change`.
        """
        staff.approvals.check_alone(CAP_CHANGE)
        change_id, currency = parse_id("cap", data.change_id), currency_of(data.currency)
        answered = switch.node.journal.promise()
        admission = switch.admission
        change = admission.grant_cap if data.change is CapChangeKind.GRANT else admission.lower_cap
        await _answer(switch, lambda: change(change_id, node, currency, data.amount, answered.set_result))
        status: TransferStatus = await answered
        if status not in TRANSFER_DONE:
            raise Refusal(
                SwitchReason.CAP_CHANGE_CONFLICTS, field=_DIFFERS.get(status, "change"), change_id=data.change_id
            )
        (transfer,) = await switch.ledger.lookup_transfers([change_id])
        await durable(switch.node.journal)
        position = await switch.positions.position(node, currency)
        return CapChanged(data.change_id, data.change, transfer.amount, position_view(position))


class FeeSchedules(Controller):
    """What the scheme charges, and from when."""

    path = "/fees"
    tags = ("Fees",)

    @get()
    async def list_schedules(self, switch: Switch) -> list[ScheduleView]:
        """Every published schedule, by version."""
        return [schedule_view(schedule) for schedule in await _answer(switch, switch.admission.fee_schedules)]

    @put("/{version:str}")
    async def publish(self, switch: Switch, version: FromPath[str], data: JSONBody[NewSchedule]) -> ScheduleView:
        """Announce a schedule. Refuses FEE_SCHEDULE_CONFLICTS, FEE_SCHEDULE_STARTS_IN_THE_PAST."""
        _check("version", version, Version)
        starts_ns = data.starts_at_ms * NS_PER_MS
        return schedule_view(
            await _answer(switch, lambda: switch.admission.publish_fees(version, starts_ns, data.rules))
        )


class Payments(Controller):
    """Payments and returns, as the switch decided them."""

    path = "/payments"
    tags = ("Payments",)

    @get("/{originator:str}/{payment_id:str}")
    async def look_up(self, switch: Switch, originator: FromPath[str], payment_id: FromPath[str]) -> ClearedView:
        """How it stands, by who minted its id and that id, as `pay_…`, `rtn_…` or 32 hexadecimal digits."""
        id_ = read_id(payment_id)
        return cleared_view(*await _answer(switch, lambda: switch.clearing.look_up(originator, id_)))


class Oversight(Controller):
    """What is undecided, and what became of it."""

    tags = ("Stuck payments",)

    @get("/stuck")
    async def stuck(self, switch: Switch, older_ms: OlderMs = OLDER_MS) -> list[Standing]:
        """What has been undecided for so long, the oldest first, and whose turn it is."""
        found = await _answer(switch, switch.oversight.undecided)
        return [each for each in found if each.age_ms >= older_ms]

    @post("/stuck/nudge", status_code=200)
    async def nudge(self, switch: Switch, data: JSONBody[Nudge]) -> Nudged:
        """Offer again, now, what is undecided: it moves nothing by itself. Refuses PAYMENT_UNKNOWN, also of what is decided."""
        meant = await _answer(switch, lambda: switch.oversight.nudge(data))
        return Nudged(nudged=[each.id for each in meant])

    @get("/stories/{payment_id:str}")
    async def story(self, switch: Switch, payment_id: FromPath[str]) -> list[Moment]:
        """What was written down of a payment or return, whoever began it, by time."""
        id_ = read_id(payment_id)
        return await _answer(switch, lambda: switch.oversight.story(id_))


def _check(field: str, text: str, type_: Any) -> None:
    """A path's parameter against what a body's field would be held to."""
    try:
        msgspec.convert(text, type_)
    except msgspec.ValidationError as error:
        raise Refusal(SwitchReason.FIELD_INVALID, field=field, problem=str(error)) from None


def read_id(text: str) -> int:
    """A payment's or return's id, as `pay_…`, `rtn_…` or 32 hexadecimal digits."""
    if len(text) == _HEX_LENGTH and set(text) <= set("0123456789abcdef"):
        return messages.hex_id(text)
    return parse_id(text.rpartition("_")[0], text)

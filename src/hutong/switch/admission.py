"""Who takes part: participants, their keys, caps and code forms, and the fee schedules. Small, and all in memory."""

from collections.abc import Callable

import msgspec

from hutong.codes import code_form
from hutong.codes.directory import Directory
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, currency_of
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountStatus, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import Channel
from hutong.switch import chart
from hutong.switch.fees import NO_FEES, FeeRule, Fees, FeeSchedule, fees_of, quoted_under, schedule_at
from hutong.switch.lifecycle.stage import Passage, Stage, Step, next_stage
from hutong.switch.participant import DescribedNode, Participant, ParticipantKey, ParticipantStatus, RegisteredForm
from hutong.switch.policy import ClearingPolicy
from hutong.switch.reason import SwitchReason
from hutong.switch.repository import CODE_FORMS, DESCRIBED, FEE_SCHEDULES, PARTICIPANT_KEYS, PARTICIPANTS, PASSAGES

_ACCOUNT_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})
_FEES_MAX = 10_000
BY_DESCRIPTION = "network description"
_BY_SETTLEMENT = "settlement"
CapAnswered = Callable[[TransferStatus], None]


class AdmissionService:
    """The switch operator's use cases. Each is repeatable: the same call again changes nothing."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, policy: ClearingPolicy) -> None:
        self._node = node
        self._ledger = ledger
        self._policy = policy
        self._participants = Shelf(PARTICIPANTS, node.journal, node.store, key="node_id")
        self._passages = Shelf(PASSAGES, node.journal, node.store, key="node_id")
        self._described = Shelf(DESCRIBED, node.journal, node.store, key="node_id")
        self._keys = Shelf(PARTICIPANT_KEYS, node.journal, node.store, key="key_id")
        self._forms = Shelf(CODE_FORMS, node.journal, node.store, key="form")
        self._schedules = Shelf(FEE_SCHEDULES, node.journal, node.store, key="version")
        self._fees: dict[tuple[str, str, Channel], Fees] = {}  # By version asked for, trade and channel.
        self._fees_from_ns = self._fees_until_ns = 0
        self._directory = Directory()

    async def start(self) -> None:
        """Load everything; open the switch's own accounts, and nodes' accounts that a crash kept from being opened."""
        await self._participants.load_all()
        await self._passages.load_all()
        await self._described.load_all()
        await self._keys.load_all()
        await self._schedules.load_all()
        await self._forms.load_all()
        self._rebuild_directory()
        for alpha in sorted(self._policy.currencies):
            currency = currency_of(alpha)
            accounts = chart.own_accounts(self._node.node_id, currency)
            for participant in self.participants():
                accounts += chart.accounts_of(participant.node_id, currency)
            self._ledger.create_accounts(accounts, then=_accounts_opened)
        self._node.journal.seal()

    def participant(self, node_id: str) -> Participant:
        """Refuses PARTICIPANT_UNKNOWN."""
        found = self._participants.get(node_id)
        if found is None:
            raise Refusal(SwitchReason.PARTICIPANT_UNKNOWN, participant=node_id)
        return found

    def participants(self) -> list[Participant]:
        """All nodes of all participants, by node id."""
        return self._participants.everything()

    def admit(  # Who it is, and who says so.
        self, node_id: str, participant_id: str, name: str, url: str, *, by: str = "", reason: str = ""
    ) -> Participant:
        """
        Admit a node and open its accounts, with no cap and no reserve yet; of a known one, note its new name and address.

        Refuses:  PARTICIPANT_EXISTS, of another participant; PARTICIPANT_LEFT.
        """
        known = self._participants.get(node_id)
        if known is None:
            admitted = Participant(node_id, participant_id, name, url, ParticipantStatus.ACTIVE.value, self._now_ns())
            self._participants.put(admitted)
            self.note(node_id, Stage.ACTIVE, Step.ADMIT, by, reason)
            for alpha in sorted(self._policy.currencies):
                self._ledger.create_accounts(chart.accounts_of(node_id, currency_of(alpha)), then=_accounts_opened)
            return admitted
        if known.participant_id != participant_id:
            raise Refusal(SwitchReason.PARTICIPANT_EXISTS, participant=node_id, of=known.participant_id)
        if known.has_left:
            raise Refusal(SwitchReason.PARTICIPANT_LEFT, participant=node_id)
        if (known.name, known.url) == (name, url):
            return known
        changed = msgspec.structs.replace(known, name=name, url=url, changed_ns=self._now_ns())
        self._participants.put(changed)
        return changed

    def describe(self, node_id: str, participant_id: str, name: str, url: str) -> Participant:
        """
        Take a node as the network's description has it: admit it; of a known one, follow what changed there since.

        What the operator changed meanwhile stays, and so does that a node left. Refuses PARTICIPANT_EXISTS.
        """
        said, now = self._described.get(node_id), DescribedNode(node_id, name, url)
        known = self._participants.get(node_id)
        if known is not None and known.participant_id == participant_id and (known.has_left or said in {now, None}):
            taken = known
        else:
            taken = self.admit(node_id, participant_id, name, url, by=BY_DESCRIPTION)
        if said != now:
            self._described.put(now)
        return taken

    def staying(self, node_id: str) -> Participant:
        """Refuses PARTICIPANT_UNKNOWN, PARTICIPANT_LEFT."""
        participant = self.participant(node_id)
        if participant.has_left:
            participant.check_active()
        return participant

    def suspend(self, node_id: str, *, by: str = "", reason: str = "") -> Participant:
        """From now on nothing new is admitted from or to it; what is reserved is still decided. Refuses STEP_OUT_OF_ORDER."""
        return self._take(node_id, Step.SUSPEND, by, reason)

    def resume(self, node_id: str, *, by: str = "", reason: str = "") -> Participant:
        """Let a suspended node take part again. Refuses STEP_OUT_OF_ORDER."""
        return self._take(node_id, Step.RESUME, by, reason)

    def suspend_in_default(self, node_id: str, window: str) -> None:
        """It did not pay for a window: it pays nothing more. One that is leaving stays so, and gives nothing back either."""
        known, why = self.participant(node_id), f"in default for window {window}"
        if known.status == ParticipantStatus.ACTIVE.value:
            self.suspend(node_id, by=_BY_SETTLEMENT, reason=why)
        elif known.status == ParticipantStatus.LEAVING.value and known.returns_until_ns > self._now_ns():
            self._participants.put(msgspec.structs.replace(known, returns_until_ns=self._now_ns()))
            self.note(node_id, Stage.LEAVING, Step.LEAVE, _BY_SETTLEMENT, why)

    def leave(self, node_id: str, returns_until_ns: int, *, by: str, reason: str) -> Participant:
        """From now on nothing new but returns, until an instant; again: until another. Refuses STEP_OUT_OF_ORDER."""
        return self._take(node_id, Step.LEAVE, by, reason, returns_until_ns)

    def depart(self, node_id: str, *, by: str, reason: str) -> Participant:
        """The end: its keys and code forms are nobody's. Refuses STEP_OUT_OF_ORDER. Whether it may is the exit's affair."""
        left = self._take(node_id, Step.DEPART, by, reason)
        for key in self._keys.everything():
            if key.node_id == node_id:
                self.retire_key(key.key_id)
        for form in self._forms.everything():
            if form.node_id == node_id and form.active:
                self.withdraw_form(node_id, form.form)
        return left

    def note(self, node_id: str, stage: Stage, step: Step, by: str, reason: str) -> Passage:
        """Write a step down, beside what it changes."""
        passage = Passage(node_id, stage.value, step.value, by, reason, self._now_ns())
        self._passages.put(passage)
        return passage

    def stage(self, node_id: str) -> Stage | None:
        """Where a node stands, applicants too; None: nobody knows it."""
        participant, passage = self._participants.get(node_id), self._passages.get(node_id)
        if participant is not None:
            return Stage(participant.status)
        return Stage(passage.stage) if passage is not None else None

    def has_taken(self, node_id: str, step: Step, reason: str) -> bool:
        """Whether this was the last thing done with a node: then it was asked for again."""
        passage = self._passages.get(node_id)
        return passage is not None and (passage.step, passage.reason) == (step.value, reason)

    async def passages(self, node_id: str) -> list[Passage]:
        """Every step of a node that is durable, in order."""
        return [passage for _, passage in await self._node.store.find(PASSAGES, "node_id", [node_id])]

    def add_key(self, node_id: str, key_id: str, public_key: bytes, valid_from_ns: int, valid_until_ns: int) -> None:
        """A key the node signs with; the old one stays valid for as long as it says. Refuses KEY_CONFLICTS, PARTICIPANT_LEFT."""
        self.staying(node_id)
        key = ParticipantKey(key_id, node_id, public_key, valid_from_ns, valid_until_ns)
        known = self._keys.get(key_id)
        if known is None:
            self._keys.put(key)
        elif known != key:
            differs = next(each for each in key.__struct_fields__ if getattr(known, each) != getattr(key, each))
            raise Refusal(SwitchReason.KEY_CONFLICTS, field=_SAID.get(differs, differs), key_id=key_id)

    def retire_key(self, key_id: str) -> None:
        """Accept nothing signed with it from now on. Refuses KEY_UNKNOWN."""
        known = self._keys.get(key_id)
        if known is None:
            raise Refusal(SwitchReason.KEY_UNKNOWN, key_id=key_id)
        if known.valid_until_ns > self._now_ns():
            self._keys.put(msgspec.structs.replace(known, valid_until_ns=self._now_ns()))

    def keys(self) -> list[ParticipantKey]:
        """Every key of every node, expired ones too."""
        return self._keys.everything()

    def register_form(self, node_id: str, text: str, *, consented_by: str = "") -> RegisteredForm:
        """
        Say that codes of this form (`hutong.codes.code_form`) are the node's: existing plates just work.

        Refuses:  what `Directory.register` refuses: the same pattern twice, one inside another's without consent;
                  PARTICIPANT_LEAVING, PARTICIPANT_LEFT.
        """
        participant = self.participant(node_id)
        if participant.is_going:
            participant.check_active()
        form = code_form.read_form(text)
        self._directory.register(form, node_id, consented=bool(consented_by))
        known = self._forms.get(str(form))
        if known is not None and (known.node_id, known.active) == (node_id, True):
            return known
        registered = RegisteredForm(str(form), node_id, consented_by, active=True)
        self._forms.put(registered)
        return registered

    def withdraw_form(self, node_id: str, text: str) -> None:
        """Codes of this form are the node's no longer. Refuses FORM_UNKNOWN."""
        form = code_form.read_form(text)
        self._directory.withdraw(form, node_id)
        self._forms.put(RegisteredForm(str(form), node_id, "", active=False))

    def forms(self) -> list[RegisteredForm]:
        """Every registered form, withdrawn ones too."""
        return self._forms.everything()

    @property
    def directory(self) -> Directory:
        """Whose code is whose."""
        return self._directory

    def grant_cap(self, change_id: int, node_id: str, currency: Currency, amount_minor: int, then: CapAnswered) -> None:
        """
        Raise a node's net debit cap by an amount; `then` takes the ledger's answer.

        Moves:    caps -> position.
        Refuses:  PARTICIPANT_LEFT; EXISTS_WITH_DIFFERENT_..., when this id made another change.
        Repeats:  EXISTS.
        """
        self.staying(node_id)
        transfer = recipes.grant_cap(
            change_id,
            amount=amount_minor,
            position=chart.position_account(node_id, currency),
            caps=chart.caps_account(currency),
            ledger=currency.ledger,
            code=chart.CODE_CAP,
        )
        self._ledger.create_transfers([transfer], then=lambda statuses: then(statuses[0]))

    def lower_cap(self, change_id: int, node_id: str, currency: Currency, amount_minor: int, then: CapAnswered) -> None:
        """
        Take back of a node's cap what is unused, at most the amount asked; look up the transfer for how much it was.

        Moves:    position -> caps, balancing.
        Refuses:  EXISTS_WITH_DIFFERENT_..., when this id made another change.
        Repeats:  EXISTS.
        """
        self.participant(node_id)
        transfer = recipes.lower_cap(
            change_id,
            amount=amount_minor,
            position=chart.position_account(node_id, currency),
            caps=chart.caps_account(currency),
            ledger=currency.ledger,
            code=chart.CODE_CAP,
        )
        self._ledger.create_transfers([transfer], then=lambda statuses: then(statuses[0]))

    def publish_fees(self, version: str, starts_ns: int, rules: list[FeeRule]) -> FeeSchedule:
        """
        Announce a fee schedule that applies from an instant on.

        Refuses:  FEE_SCHEDULE_CONFLICTS, the version exists with other content; FEE_SCHEDULE_STARTS_IN_THE_PAST.
        """
        schedule = FeeSchedule(version, starts_ns, msgspec.json.encode(rules).decode())
        known = self._schedules.get(version)
        if known is not None or version == NO_FEES.version:
            if known != schedule:
                differs = "rules" if known is not None and known.starts_ns == starts_ns else "starts_at_ms"
                raise Refusal(SwitchReason.FEE_SCHEDULE_CONFLICTS, field=differs, version=version)
            return schedule
        if starts_ns < self._now_ns():
            raise Refusal(SwitchReason.FEE_SCHEDULE_STARTS_IN_THE_PAST, starts_ns=starts_ns)
        self._schedules.put(schedule)
        self._fees_until_ns = 0
        return schedule

    def fee_schedules(self) -> list[FeeSchedule]:
        """Every published schedule, by version."""
        return self._schedules.everything()

    def fees_now(self, mcc: str, channel: Channel) -> Fees:
        """What a payment quoted now is charged."""
        return fees_of(schedule_at(self._schedules.everything(), self._now_ns()), mcc, channel)

    def fees(self, version: str, mcc: str, channel: Channel, now_ns: int) -> Fees:
        """What a payment quoted under `version` is charged: that version's while it is in force or just was, else today's."""
        if not self._fees_from_ns <= now_ns < self._fees_until_ns:
            self._turn_fees(now_ns)
        fees = self._fees.get((version, mcc, channel))
        if fees is None:
            schedules = self._schedules.everything()
            quoted = quoted_under(schedules, version, now_ns - self._policy.quote_grace_s * NS_PER_S, now_ns)
            fees = fees_of(quoted or schedule_at(schedules, now_ns), mcc, channel)
            if len(self._fees) < _FEES_MAX:
                self._fees[version, mcc, channel] = fees
        return fees

    def _turn_fees(self, now_ns: int) -> None:
        """Forget what was charged before a schedule began, or its predecessor's grace ended: until the next it stays."""
        grace_ns = self._policy.quote_grace_s * NS_PER_S
        edges: list[int] = []
        for schedule in self._schedules.everything():
            edges += (schedule.starts_ns, schedule.starts_ns + grace_ns + 1)
        self._fees_from_ns = max((edge for edge in edges if edge <= now_ns), default=0)
        self._fees_until_ns = min((edge for edge in edges if edge > now_ns), default=2**63)
        self._fees.clear()

    def _take(self, node_id: str, step: Step, by: str, reason: str, returns_until_ns: int = 0) -> Participant:
        known = self.participant(node_id)
        stage = next_stage(node_id, Stage(known.status), step)
        if (stage.value, returns_until_ns or known.returns_until_ns) == (known.status, known.returns_until_ns):
            return known
        changed = msgspec.structs.replace(
            known,
            status=stage.value,
            changed_ns=self._now_ns(),
            returns_until_ns=returns_until_ns or known.returns_until_ns,
        )
        self._participants.put(changed)
        self.note(node_id, stage, step, by, reason)
        return changed

    def _rebuild_directory(self) -> None:
        self._directory = Directory()
        for registered in self._forms.everything():
            if registered.active:
                form = code_form.read_form(registered.form)
                self._directory.register(form, registered.node_id, consented=True)

    def _now_ns(self) -> int:
        return self._node.clock.now_ns()


# The fields of a key as the API has them.
_SAID = {"node_id": "node", "valid_from_ns": "valid_from_ms", "valid_until_ns": "valid_until_ms"}


def _accounts_opened(statuses: list[AccountStatus]) -> None:
    assert all(status in _ACCOUNT_THERE for status in statuses), statuses

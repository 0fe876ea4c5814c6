"""Where a node stands on its way into the scheme and out of it, and which steps lead on. `docs/participants.md`."""

from enum import Enum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Text
from hutong.switch.lifecycle.reason import LifecycleReason


class Stage(Enum):
    """Behind admission it is also the participant's status."""

    APPLIED = "APPLIED"
    CERTIFIED = "CERTIFIED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    LEAVING = "LEAVING"
    LEFT = "LEFT"


class Step(Enum):
    """What leads from one stage to the next."""

    APPLY = "APPLY"
    CERTIFY = "CERTIFY"
    REJECT = "REJECT"  # By the scheme.
    WITHDRAW = "WITHDRAW"  # By the applicant.
    ADMIT = "ADMIT"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    LEAVE = "LEAVE"
    DEPART = "DEPART"


# Where each step leads, by where it begins; None: nobody knows the node. One that leads nowhere else repeats, or renews.
LEADS: dict[tuple[Stage | None, Step], Stage] = {
    (None, Step.APPLY): Stage.APPLIED,
    (None, Step.ADMIT): Stage.ACTIVE,  # By the network's description, or by an admin who waives the rest.
    (Stage.APPLIED, Step.APPLY): Stage.APPLIED,  # A corrected application takes the place of the first.
    (Stage.APPLIED, Step.CERTIFY): Stage.CERTIFIED,
    (Stage.APPLIED, Step.REJECT): Stage.REJECTED,
    (Stage.APPLIED, Step.WITHDRAW): Stage.WITHDRAWN,
    (Stage.CERTIFIED, Step.APPLY): Stage.APPLIED,  # What was certified is not what now applies.
    (Stage.CERTIFIED, Step.CERTIFY): Stage.CERTIFIED,
    (Stage.CERTIFIED, Step.REJECT): Stage.REJECTED,
    (Stage.CERTIFIED, Step.WITHDRAW): Stage.WITHDRAWN,
    (Stage.CERTIFIED, Step.ADMIT): Stage.ACTIVE,
    (Stage.REJECTED, Step.APPLY): Stage.APPLIED,
    (Stage.REJECTED, Step.REJECT): Stage.REJECTED,
    (Stage.WITHDRAWN, Step.APPLY): Stage.APPLIED,
    (Stage.WITHDRAWN, Step.WITHDRAW): Stage.WITHDRAWN,
    (Stage.ACTIVE, Step.CERTIFY): Stage.ACTIVE,
    (Stage.ACTIVE, Step.SUSPEND): Stage.SUSPENDED,
    (Stage.ACTIVE, Step.RESUME): Stage.ACTIVE,
    (Stage.ACTIVE, Step.LEAVE): Stage.LEAVING,
    (Stage.SUSPENDED, Step.CERTIFY): Stage.SUSPENDED,
    (Stage.SUSPENDED, Step.SUSPEND): Stage.SUSPENDED,
    (Stage.SUSPENDED, Step.RESUME): Stage.ACTIVE,
    (Stage.SUSPENDED, Step.LEAVE): Stage.LEAVING,
    (Stage.LEAVING, Step.LEAVE): Stage.LEAVING,
    (Stage.LEAVING, Step.DEPART): Stage.LEFT,
    (Stage.LEFT, Step.DEPART): Stage.LEFT,
}


class Passage(msgspec.Struct, frozen=True):
    """A step that was taken; the newest row of a node is where it stands, all of them are its history."""

    node_id: Text
    stage: Text
    step: Text
    taken_by: Text  # An operator, or what stands for one: `network description`, `settlement`.
    reason: Text
    taken_ns: BigInt


def next_stage(node_id: str, stage: Stage | None, step: Step) -> Stage:
    """Refuses STEP_OUT_OF_ORDER, saying what is possible instead."""
    leads = LEADS.get((stage, step))
    if leads is None:
        raise Refusal(
            LifecycleReason.STEP_OUT_OF_ORDER,
            participant=node_id,
            step=step.value,
            stage=stage.value if stage else "",
            possible=", ".join(each.value for each in possible(stage)),
        )
    return leads


def possible(stage: Stage | None) -> list[Step]:
    """The steps that may be taken now."""
    return [step for step in Step if (stage, step) in LEADS]

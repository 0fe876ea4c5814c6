"""
Bugs, planted: what the simulation must find. Each changes a running world from outside; the product has no switch.

Every one of them is a mistake somebody has made in a real system of this kind.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from hutong.institution.payments import verdict
from hutong.institution.payments.matrix import Shares, left_of
from hutong.scheme.messages import PaymentStatus, TransactionStatus, id_hex
from hutong.simulation.audit import SWITCH
from hutong.simulation.disk import DiskJournal
from hutong.simulation.marketing_plants import MARKETING_PLANTS
from hutong.simulation.place import Place
from hutong.simulation.planting import at_boot, at_institutions, deaf
from hutong.simulation.world import World


class HastyJournal(DiskJournal):
    """Lets out what a decision says before it is durable."""

    def _send(self, rows: Any, effects: Any, letters: Any) -> None:
        super()._send(rows, [], {})
        self._let_out(effects, letters)


def effects_before_durability(world: World) -> None:
    """What leaves a node may never have happened there."""
    world.journal_type = HastyJournal


def debtor_voids_on_timeout(world: World) -> None:
    """The debtor agent takes a payment back by itself when its time is over; the switch may have completed it."""

    def void(debtor: Any, again: Callable[[Any], None], undecided: Any) -> None:
        payment = undecided.row
        if undecided.held and debtor._node.clock.now_ns() >= payment.expires_ns:
            debtor._look_up_for_rejection(payment)
            undecided.held = False
            verdict.void(debtor._ledger, undecided.holds)
            debtor._reject(undecided, "TIMED_OUT", "TM01")
        else:
            again(undecided)

    def plant(place: Place) -> None:
        debtor = place.software.payments.debtor
        vars(debtor)["_again"] = partial(void, debtor, debtor._again)

    at_institutions(world, plant)


def creditor_completes_on_acceptance(world: World) -> None:
    """The creditor agent takes its own acceptance for the decision, and credits the merchant at once."""

    def plant(place: Place) -> None:
        creditor = place.software.payments.creditor
        held = creditor._await_decision

        def complete(receipt: Any, holds: Any) -> None:
            held(receipt, holds)
            creditor._complete(creditor.undecided[receipt.id], "")

        vars(creditor)["_await_decision"] = complete

    at_institutions(world, plant)


def acceptances_forgotten_at_restart(world: World) -> None:
    """A creditor agent that starts again does not take up what it had accepted, and does not hear of its decision."""

    def plant(place: Place) -> None:
        creditor = place.software.payments.creditor
        for id_ in list(creditor.undecided):
            creditor.undecided.pop(id_).decided = True
        vars(creditor)["offered"] = partial(_offer_only_new, creditor, creditor.__class__.offered)

    at_institutions(world, plant)


def refunds_under_way_not_counted(world: World) -> None:
    """What is left of a payment to refund is reckoned from completed refunds alone."""

    def plant(place: Place) -> None:
        refunds = place.software.payments.refunds

        def left(payment_id: int, shares: Shares) -> Shares:
            given = [
                refund.shares
                for refund in refunds.refunds.find("payment_id", payment_id)
                if (outcome := refunds.outcomes.get(refund.id)) is not None and outcome.completed
            ]
            return left_of(shares, given)

        vars(refunds)["left"] = left

    at_institutions(world, plant)


def payments_forgotten_at_restart(world: World) -> None:
    """The ids of decided payments are not looked up after a restart: a withdrawal asked for again is another one."""

    def plant(place: Place) -> None:
        debtor = place.software.payments.debtor
        known, forgotten = debtor.payments.get, debtor.payments._rows.keys() - debtor.undecided.keys()

        def get(key: int) -> Any:
            return None if key in forgotten else known(key)

        vars(debtor.payments)["get"] = get

    at_institutions(world, plant)


def limits_forgotten_at_restart(world: World) -> None:
    """What a payer has used of the day's limit is kept in memory alone."""

    def plant(place: Place) -> None:
        usages = place.software.payments.debtor.usages

        async def nothing(_account: int) -> list[int]:
            return []

        vars(usages)["_newest_payments"] = nothing

    at_institutions(world, plant)


def request_not_released(world: World) -> None:
    """A payment that was rejected goes on claiming the request it was for: nobody can pay it any more."""

    def plant(place: Place) -> None:
        vars(place.software.payments.creditor)["_give_up"] = deaf

    at_institutions(world, plant)


def tombstones_not_kept(world: World) -> None:
    """The switch tells who enquires for a payment it has not seen that it is rejected, and does not write it down."""

    def plant(place: Place) -> None:
        clearing = place.software.clearing
        reject = clearing._reject

        def tell(id_: int, payment_id: int, originator: str, reason: Any) -> None:
            if reason.name != "NEVER_SEEN":
                reject(id_, payment_id, originator, reason)
                return
            status = PaymentStatus(
                payment_id=id_hex(payment_id),
                originator=originator,
                status=TransactionStatus.REJECTED,
                reason=reason.iso_code,
                reason_name=reason.name,
            )
            place.software.node.journal.tell(originator, status)

        vars(clearing)["_reject"] = tell

    at_boot(world, lambda place: place.node_id == SWITCH, plant)


PLANTS: dict[str, Callable[[World], None]] = {
    "effects-before-durability": effects_before_durability,
    "debtor-voids-on-timeout": debtor_voids_on_timeout,
    "creditor-completes-on-acceptance": creditor_completes_on_acceptance,
    "acceptances-forgotten-at-restart": acceptances_forgotten_at_restart,
    "refunds-under-way-not-counted": refunds_under_way_not_counted,
    "payments-forgotten-at-restart": payments_forgotten_at_restart,
    "limits-forgotten-at-restart": limits_forgotten_at_restart,
    "request-not-released": request_not_released,
    "tombstones-not-kept": tombstones_not_kept,
    **MARKETING_PLANTS,
}


def _offer_only_new(creditor: Any, offered: Callable[[Any, Any], None], message: Any) -> None:
    if creditor.receipts.get(int(message.payment_id, 16)) is None:
        offered(creditor, message)

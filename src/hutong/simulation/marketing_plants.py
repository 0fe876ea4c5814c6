"""Bugs in what marketing gives, planted as those of `plants` are."""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from hutong.marketing.campaigns.programme_service import ProgrammeService
from hutong.marketing.coupons.till_code import TillState
from hutong.marketing.red_packets.red_packet import ClaimState
from hutong.simulation.place import Place
from hutong.simulation.planting import at_institutions, deaf
from hutong.simulation.world import World


def budgets_forgotten_at_restart(world: World) -> None:
    """What a campaign has given is counted in memory alone: after a restart its days begin anew."""
    at_institutions(world, lambda place: place.software.marketing.campaigns.spent.clear())


def places_counted_from_the_change_on(world: World) -> None:
    """What was given at a place before it had a budget is not counted towards it."""

    def plant(place: Place) -> None:
        place.software.marketing.campaigns.on_revised.clear()
        place.software.marketing.places.waiting.clear()

    at_institutions(world, plant)


def places_forgotten_at_restart(world: World) -> None:
    """The same is counted in memory alone."""
    at_institutions(world, lambda place: place.software.marketing.places.waiting.clear())


def person_budgets_not_counted(world: World) -> None:
    """What a person got of a campaign is read when it is first asked for, and not counted from then on."""

    def plant(place: Place) -> None:
        vars(place.software.marketing.awards.audience)["count"] = deaf

    at_institutions(world, plant)


def awards_not_released(world: World) -> None:
    """What was set aside for a payment that did not come about stays set aside."""

    def plant(place: Place) -> None:
        vars(place.software.marketing.subsidies)["release"] = deaf

    at_institutions(world, plant)


def turns_forgotten_at_restart(world: World) -> None:
    """Who has drawn today is known in memory alone."""

    def plant(place: Place) -> None:
        for lived in place.software.marketing.draws._lived.values():
            lived.turns.clear()

    at_institutions(world, plant)


def stock_forgotten_at_restart(world: World) -> None:
    """How many coupons were claimed is counted in memory alone."""
    at_institutions(world, lambda place: place.software.marketing.coupons.templates._stocks.clear())


def coupons_not_released(world: World) -> None:
    """A coupon stays with a payment that did not come about: nobody can use it any more."""

    def plant(place: Place) -> None:
        vars(place.software.marketing.coupons.redemptions)["released"] = deaf

    at_institutions(world, plant)


def coupons_back_at_any_refund(world: World) -> None:
    """A coupon comes back with every refund, also of a part: it is used again while it still gives something."""

    def plant(place: Place) -> None:
        redemptions = place.software.marketing.coupons.redemptions
        returned = redemptions.returned
        vars(redemptions)["returned"] = lambda award, amount, _: returned(award, amount, 0)

    at_institutions(world, plant)


def shares_taken_twice(world: World) -> None:
    """Whether somebody has a share of a red packet already is not looked at: who asks again gets another."""

    def plant(place: Place) -> None:
        vars(place.software.red_packets.packets)["known_claim"] = deaf

    at_institutions(world, plant)


def shares_sent_twice(world: World) -> None:
    """A share that is on its way to another institution for long is sent once more, as another payment."""

    def plant(place: Place) -> None:
        crossing = place.software.red_packets.crossing
        vars(crossing)["_look"] = partial(_impatient, crossing, crossing._look)

    at_institutions(world, plant)


def packets_not_returned(world: World) -> None:
    """What nobody claimed of a red packet in its day stays in it."""

    def plant(place: Place) -> None:
        vars(place.software.red_packets.packets)["_end"] = deaf

    at_institutions(world, plant)


def rewards_paid_unseen(world: World) -> None:
    """A reward is paid at the end of its hold, whatever became of the friend's payment meanwhile."""

    def plant(place: Place) -> None:
        rewards = place.software.marketing.invitations.rewards
        vars(rewards)["_why_not"] = deaf
        vars(rewards)["_came_back"] = deaf

    at_institutions(world, plant)


def till_coupons_taken_twice(world: World) -> None:
    """Whether another till has taken a coupon already is not looked at."""

    def plant(place: Place) -> None:
        coupons = place.software.marketing.coupons
        take, redemptions = coupons.till.take, coupons.redemptions

        def take_coupon(coupon_id: int) -> Any:
            taken = redemptions.known(coupon_id).taken(place.clock.now_ns())
            redemptions._all.coupons.put(taken)
            return taken

        def take_again(code: Any, number: str, **told: str) -> Any:
            return take(
                replace(code, state=TillState.SENT.value) if code.state == TillState.TAKEN else code, number, **told
            )

        vars(redemptions)["take"] = take_coupon
        vars(coupons.till)["take"] = take_again

    at_institutions(world, plant)


def till_codes_sent_twice(world: World) -> None:
    """Which codes are nobody's yet is reckoned from what was brought: after a restart one goes to somebody else, too."""

    def plant(place: Place) -> None:
        till = place.software.marketing.coupons.till
        vars(till)["_loaded"] = lambda template_id: min(
            (code for code in till.codes(template_id) if code.loaded_ns), key=lambda code: code.id
        )

    at_institutions(world, plant)


def cash_given_twice(world: World) -> None:
    """Whether a merchant's number gave somebody money already is not looked at: asked again, it is another prize."""

    def plant(place: Place) -> None:
        cash = place.software.cash
        given = cash._given
        vars(cash.prizes)["get"] = deaf

        def give(caller: Any, campaign: Any, user_id: int, _: int, request: str, amount: int) -> Any:
            return given(caller, campaign, user_id, cash._node.mint.mint(), request, amount)

        vars(cash)["_given"] = give

    at_institutions(world, plant)


def cash_days_forgotten_at_restart(world: World) -> None:
    """How often somebody had money of a campaign is known in memory alone."""

    def plant(place: Place) -> None:
        prizes = place.software.cash.prizes
        found, before_ns = prizes.find, place.clock.now_ns()
        vars(prizes)["find"] = lambda by, key: [each for each in found(by, key) if each.at_ns >= before_ns]

    at_institutions(world, plant)


def cash_not_brought_home(world: World) -> None:
    """What an ended campaign did not give stays in the merchant's budget."""
    at_institutions(world, lambda place: vars(place.software.cash.money).update(_home=deaf))


def holds_unwanted_kept(world: World) -> None:
    """Of two who opened one link and agreed, both are held to it: who came second is never let go."""

    def plant(place: Place) -> None:
        vars(place.software.holds.authorisations)["_of_another"] = deaf

    at_institutions(world, plant)


def programmes_for_everybody(world: World) -> None:
    """A programme's money goes to any merchant of ours, whether it has joined or not."""

    def plant(place: Place) -> None:
        vars(place.software.marketing.programmes)["has_joined"] = lambda _, merchant_id: bool(merchant_id)

    at_institutions(world, plant)


def programmes_left_go_on(world: World) -> None:
    """Who leaves a programme gets its money until the next restart."""

    def plant(place: Place) -> None:
        programmes = place.software.marketing.programmes

        def leave(campaign_id: int, merchant_id: int) -> Any:
            was = programmes.has_joined(campaign_id, merchant_id)
            answer = ProgrammeService.leave(programmes, campaign_id, merchant_id)
            if was:
                programmes._joined.add((campaign_id, merchant_id))
            return answer

        vars(programmes)["leave"] = leave

    at_institutions(world, plant)


def programmes_forgotten_at_restart(world: World) -> None:
    """Who has joined is known in memory alone: after a restart a merchant gets nothing, and does not know."""
    at_institutions(world, lambda place: place.software.marketing.programmes._joined.clear())


def merchants_described_unwritten(world: World) -> None:
    """Other institutions are told what kind of merchant is paid, and nothing is written down of it."""

    def plant(place: Place) -> None:
        vars(place.software.marketing.statements)["tell"] = deaf

    at_institutions(world, plant)


def merchants_described_as_before(world: World) -> None:
    """What was heard of a merchant once is what is asked of it from then on, whatever its institution says now."""

    def plant(place: Place) -> None:
        subsidies = place.software.marketing.subsidies
        place_of = subsidies._place
        known: dict[Any, Any] = {}
        vars(subsidies)["_place"] = lambda occasion: known.setdefault(
            (occasion.creditor_agent, occasion.request_id), place_of(occasion)
        )

    at_institutions(world, plant)


MARKETING_PLANTS: dict[str, Callable[[World], None]] = {
    "budgets-forgotten-at-restart": budgets_forgotten_at_restart,
    "places-counted-from-the-change-on": places_counted_from_the_change_on,
    "places-forgotten-at-restart": places_forgotten_at_restart,
    "person-budgets-not-counted": person_budgets_not_counted,
    "awards-not-released": awards_not_released,
    "turns-forgotten-at-restart": turns_forgotten_at_restart,
    "stock-forgotten-at-restart": stock_forgotten_at_restart,
    "coupons-not-released": coupons_not_released,
    "coupons-back-at-any-refund": coupons_back_at_any_refund,
    "shares-taken-twice": shares_taken_twice,
    "shares-sent-twice": shares_sent_twice,
    "packets-not-returned": packets_not_returned,
    "rewards-paid-unseen": rewards_paid_unseen,
    "till-coupons-taken-twice": till_coupons_taken_twice,
    "till-codes-sent-twice": till_codes_sent_twice,
    "cash-given-twice": cash_given_twice,
    "cash-days-forgotten-at-restart": cash_days_forgotten_at_restart,
    "cash-not-brought-home": cash_not_brought_home,
    "holds-unwanted-kept": holds_unwanted_kept,
    "programmes-for-everybody": programmes_for_everybody,
    "programmes-left-go-on": programmes_left_go_on,
    "programmes-forgotten-at-restart": programmes_forgotten_at_restart,
    "merchants-described-unwritten": merchants_described_unwritten,
    "merchants-described-as-before": merchants_described_as_before,
}


def _impatient(crossing: Any, look: Callable[..., None], claim_id: int, concluded: int = 0) -> None:
    claim = crossing._claims.get(claim_id)
    if concluded or claim.state != ClaimState.SENDING or crossing._debtor.outcomes.get(claim.payment_id) is not None:
        look(claim_id, concluded)
        return
    crossing._rounds.again(claim.id, crossing._node.clock.now_ns())
    crossing._consults.ask(claim.code, partial(crossing._told_again, claim.id, claim.attempt))

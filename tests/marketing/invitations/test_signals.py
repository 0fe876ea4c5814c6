"""Each signal as a table: what is one, what is nearly one, and what is none."""

from typing import Any

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.circle import Circle, PersonPayment, way_back
from hutong.marketing.invitations.signals import LOOKS, score, seen
from hutong.marketing.invitations.terms import InvitationTerms, check_terms, read_terms

TERMS: InvitationTerms = read_terms({})
A, F, G, H, I, J, K = 1, 2, 3, 4, 5, 6, 7  # noqa: E741  # An inviter, a friend, and others.


def paid(*edges: tuple[int, int], amount: int = 1_000, at_ns: int = 0) -> tuple[PersonPayment, ...]:
    return tuple(PersonPayment(payer, payee, amount, at_ns) for payer, payee in edges)


def marks(**of: set[int]) -> dict[int, frozenset[int]]:
    return {"AFGHIJK".index(name) + 1: frozenset(found) for name, found in of.items()}


def at(*seconds: int) -> dict[int, int]:
    return {F + place: second * NS_PER_S for place, second in enumerate(seconds)}


CIRCLES: list[tuple[str, dict[str, Any], bool]] = [
    ("SHARED_DEVICE", {"devices": marks(A={1}, F={2})}, False),
    ("SHARED_DEVICE", {"devices": marks(A={1, 2}, F={2, 3})}, True),
    ("SHARED_DEVICE", {"friends": (F, G), "devices": marks(A={1}, F={2}, G={2})}, True),
    ("SHARED_DEVICE", {"devices": marks(A={1}, F={2}, G={2})}, False),  # G is nobody's friend here.
    ("SHARED_FUNDING", {"funding": marks(A={1}, F={2})}, False),
    ("SHARED_FUNDING", {"funding": marks(A={1}, F=set())}, False),
    ("SHARED_FUNDING", {"funding": marks(A={7}, F={7})}, True),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((A, F), amount=999)}, False),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((A, F))}, True),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((A, F), (A, F), amount=500)}, True),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((F, A))}, False),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((G, F))}, False),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "friends": (F, G), "payments": paid((G, F))}, True),
    ("FUNDED_BY_CIRCLE", {"paid": 1_000, "payments": paid((A, F), at_ns=1)}, False),  # Behind the payment.
    ("RING", {"invited": ((A, F),)}, False),
    ("RING", {"invited": ((A, F), (F, G), (G, H))}, False),
    ("RING", {"invited": ((A, F),), "payments": paid((A, F), (F, A))}, False),  # Friends pay each other.
    ("RING", {"invited": ((A, F), (F, G)), "payments": paid((G, A))}, True),
    ("RING", {"invited": ((A, F), (F, G), (G, H)), "payments": paid((H, A))}, True),
    ("RING", {"invited": ((A, F), (A, G)), "payments": paid((F, G))}, True),
    ("RING", {"invited": ((A, F),), "payments": paid((F, K), (K, A))}, True),
    ("RING", {"invited": ((A, F),), "payments": paid((F, K))}, False),
    ("RING", {"invited": ((A, F),), "payments": paid((F, F), (A, A))}, False),
    ("DENSE_CIRCLE", {"friends": (F, G), "payments": paid((F, G))}, False),  # Two are no circle.
    ("DENSE_CIRCLE", {"friends": (F, G, H), "payments": paid((F, G))}, False),
    ("DENSE_CIRCLE", {"friends": (F, G, H), "payments": paid((F, G), (G, F), (G, G))}, False),
    ("DENSE_CIRCLE", {"friends": (F, G, H), "payments": paid((F, G), (G, H))}, True),
    ("DENSE_CIRCLE", {"friends": (F, G, H), "payments": paid((A, F), (A, G), (A, H))}, False),
    ("REFUND_AFTER_REWARD", {}, False),
    ("REFUND_AFTER_REWARD", {"refunded": frozenset({G})}, True),
    ("VELOCITY", {"joined_ns": at(0, 1, 2, 3, 4)}, False),
    ("VELOCITY", {"joined_ns": at(0, 1, 2, 3, 4, 5)}, True),
    ("VELOCITY", {"joined_ns": at(0, 1, 2, 3, 4, 3_600)}, False),
    ("VELOCITY", {"joined_ns": at(9_000, 1, 2, 3, 4, 5, 6)}, False),  # This friend came at another time.
    ("VELOCITY", {"joined_ns": at(3_600, 1, 2, 3, 4, 5)}, True),
    ("VELOCITY", {}, False),
    ("SAME_ADDRESS", {"friends": (F, G, H), "places": {F: 5, G: 5, H: 6}}, False),
    ("SAME_ADDRESS", {"friends": (F, G, H), "places": {F: 5, G: 5, H: 5}}, True),
    ("SAME_ADDRESS", {"friends": (F, G, H), "places": {G: 5, H: 5}}, False),
    ("SAME_SHOP", {"merchants": dict.fromkeys((F, G, H), "jing/1")}, False),
    ("SAME_SHOP", {"merchants": dict.fromkeys((F, G, H, I), "jing/1")}, True),
    ("SAME_SHOP", {"merchants": dict.fromkeys((F, G, H, I), "jing/1") | {J: "jing/2"}}, True),
    ("SAME_SHOP", {"merchants": dict.fromkeys((F, G, H, I), "jing/1") | dict.fromkeys((J, K), "jing/2")}, False),
    ("SAME_SHOP", {"merchants": dict.fromkeys((F, G, H, I), "")}, False),
]


@pytest.mark.parametrize(("name", "told", "is_seen"), CIRCLES)
def test_a_signal_sees_what_it_says_and_nothing_else(name: str, told: dict[str, Any], is_seen: bool) -> None:
    circle = Circle(inviter_id=A, friend_id=F, **({"friends": (F,)} | told))
    assert (LOOKS[name](circle, TERMS) is not None) is is_seen


def test_every_signal_has_its_weight_and_both_sides_of_its_edge_in_the_table() -> None:
    assert set(LOOKS) == set(TERMS.weights)
    for name in LOOKS:
        assert {is_seen for told, _, is_seen in CIRCLES if told == name} == {True, False}, name


def test_a_weight_of_nothing_turns_a_signal_off_and_weights_add_up() -> None:
    circle = Circle(
        inviter_id=A,
        friend_id=F,
        friends=(F, G),
        devices=marks(A={1}, F={1}),
        refunded=frozenset({G, H}),
    )
    assert [(each.name, each.weight) for each in seen(circle, TERMS)] == [
        ("SHARED_DEVICE", 100),
        ("REFUND_AFTER_REWARD", 100),
    ]
    assert score(seen(circle, TERMS)) == 200
    blind = read_terms({"weights": {"SHARED_DEVICE": 0, "REFUND_AFTER_REWARD": 0}})
    assert seen(circle, blind) == []


def test_the_way_back_is_the_shortest_and_begins_with_the_friend() -> None:
    circle = Circle(
        inviter_id=A,
        friend_id=F,
        friends=(F,),
        invited=((A, F), (F, G), (G, H)),
        payments=paid((H, A), (G, K), (K, A)),
    )
    assert way_back(circle) in {(F, G, H, A), (F, G, K, A)}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [{"friends": 1, "total": 28_801}]}, "more than person_max"),
        ({"steps": [{"friends": 2, "total": 10}, {"friends": 1, "total": 20}]}, "steps must rise"),
        ({"steps": [{"friends": 1, "total": 10}, {"friends": 2, "total": 10}]}, "steps must rise"),
        ({"steps": [{"friends": 1, "total": -1}]}, "steps"),
        ({"tier_min": 4}, "tier_min"),
        ({"hold_hours": -1}, "hold_hours"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_terms_that_make_no_sense_are_refused_saying_where(said: dict[str, Any], where: str) -> None:
    with pytest.raises(Exception, match=f"INVITATION_TERMS_INVALID.*{where}"):
        read_terms(said)


def test_what_is_shipped_ends_at_288_yuan() -> None:
    assert TERMS.total(TERMS.friends_max) == TERMS.total(10_000) == 28_800
    assert TERMS.total(0) == 0


def test_who_weighs_one_signal_anew_leaves_the_others_as_they_are() -> None:
    assert dict(read_terms({"weights": {"RING": 7}}).weights) == {**TERMS.weights, "RING": 7}
    assert read_terms({"weights": {}}).weights == TERMS.weights
    off = dict.fromkeys(TERMS.weights, 0)
    assert read_terms({"weights": off}).weights == off


def test_a_weight_of_no_signal_is_refused_when_it_is_written_down_and_passed_over_in_terms_of_before() -> None:
    said = {"weights": {"RINGS": 7}}
    with pytest.raises(Refusal) as refused:
        check_terms(said)
    assert (refused.value.reason.name, refused.value.facts["field"]) == ("INVITATION_TERMS_INVALID", "weights")
    assert read_terms(said).weights["RING"] == TERMS.weights["RING"]
    assert check_terms({"weights": {"RING": 7}}).weights["RING"] == 7

"""What several nodes wrote down of one payment, told as one story."""

from itertools import permutations

from hutong.scheme.standing import in_order


def test_what_was_written_down_within_one_millisecond_is_told_in_the_order_of_the_protocol() -> None:
    """Nodes in one process hold, reserve and accept that quickly."""
    story = [(7, "HELD"), (8, "RESERVED"), (8, "ACCEPTED"), (8, "COMPLETED"), (9, "COMPLETED")]
    at_once = [(8, "HELD"), (8, "RESERVED"), (8, "ACCEPTED"), (8, "REJECTED")]
    for told in (story, at_once):
        for heard in permutations(told):
            assert sorted(heard, key=lambda moment: in_order(*moment)) == told
    assert in_order(2, "COMPLETED") < in_order(3, "HELD")

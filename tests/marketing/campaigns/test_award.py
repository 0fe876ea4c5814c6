"""How an award is packed for its table."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.marketing.campaigns.award import AWARDS, Award
from hutong.runtime.tables import Table

_APART = Table(AWARDS.name, Award)


@given(
    st.lists(st.integers(0, 2**63 - 1), min_size=2, max_size=2),
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80), min_size=3, max_size=3
    ),
    st.booleans(),
    st.binary(max_size=9),
)
def test_what_many_awards_have_in_common_is_packed_as_it_is_apart(
    numbers: list[int], texts: list[str], combined: bool, facts: bytes
) -> None:
    one, other = numbers
    place, state, reason = texts
    award = Award(
        one,
        2,
        3,
        4,
        other,
        6,
        -7,
        8,
        9,
        facts,
        10,
        "DISCOUNT",
        "campaign",
        state,
        -1,
        12,
        place,
        13,
        14,
        combined,
        reason,
    )
    for position in (1, other):  # The second is found.
        assert AWARDS.pack(position, award) == _APART.pack(position, award)

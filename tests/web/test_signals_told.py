"""Signs of collusion, as the operator reads them."""

from typing import Any

import pytest

from hutong.marketing.invitations.signals import LOOKS
from hutong.marketing.invitations.views import SignalView
from hutong.web.institution_desk.invitations import seen
from hutong.web.institution_desk.invite_form import SIGNALS
from hutong.web.language import words

ONE, TWO = "usr_01M85JTT01EJSFJRDA2N4H2MG0", "usr_01M85JTXNM3CCTFFN9KX1VSY00"


@pytest.mark.parametrize(
    ("name", "facts", "english", "chinese", "people"),
    [
        ("SHARED_DEVICE", {"with": [ONE, TWO]}, "", "", [ONE, TWO]),
        ("SHARED_FUNDING", {"with": [ONE]}, "", "", [ONE]),
        ("FUNDED_BY_CIRCLE", {"amount": 1_250, "by": [ONE]}, "¥12.50", "¥12.50", [ONE]),
        ("RING", {"way": [ONE, TWO]}, "", "", [ONE, TWO]),
        ("DENSE_CIRCLE", {"friends": 4, "pairs": 5}, "5 pairs of 4 friends", "4位好友中有5对互相付款", []),
        ("REFUND_AFTER_REWARD", {"friends": [TWO]}, "", "", [TWO]),
        ("VELOCITY", {"friends": 6, "within_s": 3_600}, "6 friends within 60 minutes", "60分钟内6位好友", []),
        ("SAME_ADDRESS", {"friends": 3}, "3 friends in all", "共3位好友", []),
        ("SAME_SHOP", {"friends": 4, "of": 5}, "4 of 5 friends", "5位好友中的4位", []),
    ],
)
def test_what_a_signal_saw_is_said_in_words(
    name: str, facts: dict[str, Any], english: str, chinese: str, people: list[str]
) -> None:
    for language, text in (("en", english), ("zh-CN", chinese)):
        told = seen(words(language), SignalView(name=name, weight=60, facts=facts))
        assert (told.text, told.people, told.weight) == (text, people, 60)
        assert told.name == words(language)(SIGNALS[name])


def test_every_signal_has_a_name() -> None:
    assert set(SIGNALS) == set(LOOKS)

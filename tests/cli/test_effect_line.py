"""How a campaign's effect is told by a command: payments as they are counted, amounts as money."""

from hutong.cli.programme import counted, effect_line, paid

_SEEN = {"verdict": "NOT_SEEN", "treated": 53, "held_out": 49, "low": -82_653, "difference": 320_331, "high": 723_315}


def test_an_effect_upon_amounts_is_told_as_money() -> None:
    told = effect_line(_SEEN, paid)
    assert told == "+¥3.20 (between -¥0.83 and +¥7.23), of 53 with it and 49 without"


def test_an_effect_upon_payments_is_told_as_a_number() -> None:
    told = effect_line({**_SEEN, "low": 207, "difference": 400, "high": 593}, counted)
    assert told == "+0.4 (between +0.207 and +0.593), of 53 with it and 49 without"

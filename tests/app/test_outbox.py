"""What stands in for text messages on a laptop."""

import pytest
import structlog
from structlog.testing import capture_logs

from hutong.app.outbox import ShownCodes
from hutong.institution.people.one_time_code import Purpose
from hutong.kernel.errors import Refusal


def test_the_log_has_neither_the_code_nor_the_whole_number() -> None:
    structlog.reset_defaults()  # A command that a test ran before may have asked for warnings alone.
    codes = ShownCodes()
    with capture_logs() as logged:
        codes.send("+8613800138000", Purpose.SIGN_IN, "204881")
    assert codes.last("+8613800138000").code == "204881"
    assert [(line["event"], line["phone"]) for line in logged] == [("one_time_code_shown", "+86138****8000")]
    assert "204881" not in str(logged)


def test_who_was_sent_nothing_is_shown_nothing() -> None:
    with pytest.raises(Refusal, match="NO_CODE_WAS_SENT"):
        ShownCodes().last("+8613800138000")

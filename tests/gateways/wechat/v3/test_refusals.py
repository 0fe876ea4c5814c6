"""Every refusal of ours has words of the vendor's."""

import pytest

from hutong.gateways.wechat.v3.refusals import fault_of, payer_fault
from hutong.kernel.errors import Reason, Refusal
from tests.test_reasons import reasons


@pytest.mark.parametrize("reason_type", reasons(), ids=lambda reason_type: reason_type.__name__)
def test_every_refusal_has_words_of_the_vendors(reason_type: type[Reason]) -> None:
    for reason in reason_type:
        fault = fault_of(Refusal(reason, field="amount"))
        assert 400 <= fault.status <= 500, reason.name
        assert fault.answer().body, reason.name
        assert payer_fault(reason.name).code.name, reason.name

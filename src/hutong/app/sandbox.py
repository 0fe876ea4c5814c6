"""What a network for trying out shows on its pages: whose it is to sign in as, and what would have been texted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from hutong.app.outbox import ShownCodes
from hutong.kernel.errors import Refusal
from hutong.operators.operator import TOKEN_PREFIX
from hutong.web.sandbox import SampleOperator, SamplePerson, SampleStaff

# What takes two people at a desk can be tried by one: the colleague is named when first signed in as.
_COLLEAGUE = "colleague"


@dataclass(slots=True)
class NodeSandbox:
    """One node's `Sandbox`; who was made as a sample is added when it is."""

    codes: ShownCodes
    operator_token: str
    sample_people: list[SamplePerson] = field(default_factory=list)
    sample_staff: list[SampleStaff] = field(default_factory=list)

    def one_time_code(self, phone: str) -> str:
        try:
            return self.codes.last(phone).code
        except Refusal:
            return ""

    def people(self) -> Sequence[SamplePerson]:
        return self.sample_people

    def staff(self) -> Sequence[SampleStaff]:
        return self.sample_staff

    def operators(self) -> Sequence[SampleOperator]:
        return (
            SampleOperator("operator", "ADMIN", self.operator_token),
            SampleOperator(_COLLEAGUE, "OPERATOR", _colleague_token(self.operator_token)),
        )


def _colleague_token(operator_token: str) -> str:
    """The same at each start; nobody else can tell it."""
    digest = hashlib.blake2b(operator_token.encode(), digest_size=24, person=b"hutong/sample")
    return f"{TOKEN_PREFIX}{digest.hexdigest()}"

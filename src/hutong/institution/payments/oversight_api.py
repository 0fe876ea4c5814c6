"""What is undecided at an institution, for its operator."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.institution.payments.service import PaymentService
from hutong.kernel.ids import parse_id
from hutong.runtime.shelf import decided
from hutong.scheme.messages import hex_id
from hutong.scheme.standing import OLDER_MS, Moment, Nudge, Nudged, Standing

OlderMs = Annotated[int, QueryParameter(ge=0, description="Of this age at least.")]
Payments = NamedDependency[SkipValidation[PaymentService]]
_HEX_LENGTH = 32


class Oversight(Controller):
    """What is undecided, and what became of it."""

    path = "/operator"
    tags = ("Operator: stuck payments",)

    @get("/stuck")
    async def stuck(self, payments: Payments, older_ms: OlderMs = OLDER_MS) -> list[Standing]:
        """What has been undecided for so long, the oldest first, and whose turn it is."""
        found = await decided(payments.node.journal, payments.oversight.undecided)
        return [each for each in found if each.age_ms >= older_ms]

    @post("/stuck/nudge", status_code=200)
    async def nudge(self, payments: Payments, data: JSONBody[Nudge]) -> Nudged:
        """Ask the switch again, now: it moves nothing by itself. Refuses PAYMENT_UNKNOWN, also of what is decided."""
        meant = await decided(payments.node.journal, lambda: payments.oversight.nudge(data))
        return Nudged(nudged=[each.id for each in meant])

    @get("/stories/{payment_id:str}")
    async def story(self, payments: Payments, payment_id: FromPath[str]) -> list[Moment]:
        """What was written down here of a payment or return, by its id as nodes know it: `pay_…`, `rtn_…` or 32 digits."""
        is_hex = len(payment_id) == _HEX_LENGTH and set(payment_id) <= set("0123456789abcdef")
        id_ = hex_id(payment_id) if is_hex else parse_id(payment_id.partition("_")[0], payment_id)
        return await decided(payments.node.journal, lambda: payments.oversight.story(id_))

"""What a browser is shown that is led to let a merchant hold money: who asks, how much, and whose wallet can."""

from html import escape

from hutong.gateways.agreements.agreement_service import PATH
from hutong.gateways.agreements.page import plain_page
from hutong.gateways.preauth.preauth import PREAUTH_PREFIX, Preauth, PreauthState
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

_OURS = f"{PATH}{PREAUTH_PREFIX}_"
_OVER = {
    PreauthState.HOLDING: "正在授权 Being authorised",
    PreauthState.HELD: "已授权 Authorised",
    PreauthState.ENDED: "已完结 Ended",
    PreauthState.CLOSED: "已关闭 Closed",
    PreauthState.FAILED: "授权失败 Not authorised",
}


class HoldingPage:
    """`/agreements/pra_...`: shown to whoever has the link. `name` is the institution's."""

    def __init__(self, node: NodeRuntime, preauths: PreauthService, name: str) -> None:
        self._clock = node.clock
        self._journal = node.journal
        self._preauths = preauths
        self._name = escape(name)

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is for the page."""
        return self.answer if request.path.startswith(_OURS) and request.method == "GET" else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The page."""
        try:
            id_ = parse_id(PREAUTH_PREFIX, request.path.removeprefix(PATH))
            return await warmed(self._journal, lambda: self._shown(self._preauths.offered(id_)))
        except Refusal:
            return plain_page("找不到授权 No such authorisation", "", 404)

    def _shown(self, preauth: Preauth) -> WireAnswer:
        name, state = escape(self._preauths.merchant_name(preauth)), preauth.state_at(self._clock.now_ns())
        if state is not PreauthState.OFFERED:
            return plain_page(_OVER[state], f"<p>{name}</p>")
        return plain_page(
            f"{name} 申请预授权",
            f"""<p>{escape(preauth.title)}</p>
<p class="amount">¥{preauth.amount // 100}.{preauth.amount % 100:02d} <small>冻结，不扣款 held, not taken</small></p>
<p>只有 {self._name} 的钱包可以授权：冻结的钱须在本机构的账上。其他机构的钱包请改用扫码支付。<br>
Only a wallet of {self._name} can agree: what is held has to be on the books here. With another wallet, pay the merchant instead.</p>
<a class="open" href="/wallet/agreements/{preauth.creditor}">用本机构的钱包授权 Agree with a wallet here</a>
<p><small>{preauth.creditor}</small></p>""",
        )

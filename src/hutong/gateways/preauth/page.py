"""What a browser is shown that is led to let a merchant hold money: who asks, how much, and that every wallet can."""

from html import escape

from hutong.codes.plate import PATH as PLATES
from hutong.codes.plate import PlateKind, hold_plate_id, read_plate_id
from hutong.gateways.agreements.agreement_service import PATH
from hutong.gateways.agreements.page import plain_page
from hutong.gateways.preauth.preauth import PREAUTH_PREFIX, Preauth, PreauthState
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.institution.merchants.site import Site
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

_OURS = f"{PATH}{PREAUTH_PREFIX}_"
_LINKS = PLATES + PlateKind.HOLD.value
_OVER = {
    PreauthState.HOLDING: "正在授权 Being authorised",
    PreauthState.HELD: "已授权 Authorised",
    PreauthState.ENDED: "已完结 Ended",
    PreauthState.CLOSED: "已关闭 Closed",
    PreauthState.FAILED: "授权失败 Not authorised",
}


class HoldingPage:
    """`/q/H...` and `/agreements/pra_...`: shown to whoever has the link. `name` is the institution's."""

    def __init__(self, node: NodeRuntime, preauths: PreauthService, site: Site, name: str) -> None:
        self._clock = node.clock
        self._journal = node.journal
        self._preauths = preauths
        self._site = site
        self._name = escape(name)

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is for the page."""
        return self.answer if request.path.startswith((_OURS, _LINKS)) and request.method == "GET" else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The page."""
        try:
            if request.path.startswith(_LINKS):
                id_ = read_plate_id(request.path.removeprefix(PLATES)).request_id
            else:
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
<p>网络里任何机构的钱包都可以授权：在钱包里扫这个链接的二维码，或把链接粘贴到“扫一扫”。钱冻结在您自己的机构。<br>
Any wallet of the network can agree: scan this link's code in the wallet, or paste the link where it scans. The money stays at your own institution.</p>
<p><code>{escape(self._site.url(hold_plate_id(preauth.id)))}</code></p>
<a class="open" href="/wallet/agreements/{preauth.creditor}">用 {self._name} 的钱包授权 Agree with a wallet of {self._name}</a>
<p><small>{preauth.creditor}</small></p>""",
        )

"""Where a browser is led to sign an agreement: what it says, the way to the wallet here, and the way for wallets elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from urllib.parse import parse_qs

from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.gateways.agreements.agreement import AGREEMENT_PREFIX, Agreement, AgreementState
from hutong.gateways.agreements.agreement_service import PATH, AgreementService
from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided, warmed

_HTML = "text/html; charset=utf-8"
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
_STYLE = """:root{color-scheme:light dark;font:16px/1.6 system-ui,"Noto Sans SC",sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center}main{width:min(26rem,100% - 2rem)}
h1{font-size:1.25rem}.amount{font-size:1.75rem;font-weight:600}
a.open,button{display:block;width:100%;box-sizing:border-box;margin:1rem 0;padding:.75rem;border:0;border-radius:.5rem;
background:#1557d6;color:#fff;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
.code{background:#fff;border-radius:.5rem}.code svg{display:block;width:14rem;margin:0 auto}summary{cursor:pointer;opacity:.75}
input,select{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}small{opacity:.75;overflow-wrap:anywhere}"""
_ENDED = {
    AgreementState.SIGNED: "已签约 Signed",
    AgreementState.ENDED: "已解约 Ended",
    AgreementState.LAPSED: "已过期 Too late",
}


# Where a browser goes back to when an agreement is signed: empty where the merchant didn't say. It may raise `Cold`.
WayBack = Callable[[Agreement], str]
# Of the network's wallets: each one's name, and what opens it on a code.
Wallets = Callable[[str], Sequence[tuple[str, str]]]


class SigningPage:
    """`/agreements/agr_...`: shown to whoever has the link. `ways_back` is each dialect's."""

    def __init__(
        self, node: NodeRuntime, agreements: AgreementService, ways_back: Mapping[str, WayBack], wallets: Wallets
    ) -> None:
        self._ways_back = ways_back
        self._wallets = wallets
        self._clock = node.clock
        self._journal = node.journal
        self._agreements = agreements

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is for the page."""
        return self.answer if request.path.startswith(PATH) and request.method in {"GET", "POST"} else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The page; a form that was posted holds a mandate of another wallet's."""
        try:
            id_ = parse_id(AGREEMENT_PREFIX, request.path.removeprefix(PATH))
            agreement = await warmed(self._journal, lambda: self._agreements.offered(id_))
        except Refusal:
            return plain_page("找不到协议 No such agreement", "", 404)
        wrong = ""
        if request.method == "POST":
            mandate = parse_qs(request.body.decode("latin-1")).get("mandate", [""])[0].strip()
            try:
                agreement = await decided(self._journal, lambda: self._agreements.sign_under(id_, mandate))
            except Refusal as refusal:
                wrong = f"<p role=alert>签约失败 It was refused: {escape(refusal.reason.name)}</p>"
        return await warmed(self._journal, lambda: self._shown(agreement, wrong))

    def _shown(self, agreement: Agreement, wrong: str) -> WireAnswer:
        name = escape(self._agreements.merchant_name(agreement))
        state = agreement.state_at(self._clock.now_ns())
        if state is not AgreementState.OFFERED:
            return self._over(agreement, state, name)
        yuan = f"{agreement.day_max // 100}.{agreement.day_max % 100:02d}"
        return plain_page(
            f"{name} 申请代扣",
            f"""{wrong}<p>{escape(agreement.about)}</p>
<p class="amount">¥{yuan} <small>每日最多 at most a day</small></p>
<p>同意后，商家可在限额内直接扣款，您可随时在钱包里解约。<br>
Once you agree, the merchant may take up to this much a day; end it in your wallet whenever you like.</p>
{self._ways(agreement)}
<p><small>{agreement.creditor}</small></p>""",
        )

    def _ways(self, agreement: Agreement) -> str:
        """Every wallet of the network, its own on the same device, any by its camera; and one that can't do either."""
        link = self._agreements.link(agreement)
        wallets = "".join(
            f'<a class="open" href="{escape(href)}">{escape(name)}</a>' for name, href in self._wallets(link)
        )
        picture = qr_symbol(link).svg_inline(border=QUIET_ZONE, light="white", omitsize=True)
        return f"""<p>用任何一个钱包签约：选一个，或打开钱包扫一扫。<br>
Sign with any wallet: choose one, or open yours and scan this.</p>
{wallets or f'<a class="open" href="/wallet/agreements/{agreement.creditor}">用本机构的钱包签约 Sign with a wallet here</a>'}
<div class="code">{picture}</div>
<details><summary>钱包扫不了？ Your wallet can't scan it?</summary>
<form method="post"><label>在钱包里给本机构一份授权，把授权码贴在这里<br>
Grant this institution a mandate there, and paste it here
<input name="mandate" required autocomplete="off" maxlength="140"></label>
<button>签约 Sign</button></form></details>"""

    def _over(self, agreement: Agreement, state: AgreementState, name: str) -> WireAnswer:
        way_back = self._ways_back.get(agreement.dialect)
        back = escape(way_back(agreement)) if state is AgreementState.SIGNED and way_back is not None else ""
        if not back:
            return plain_page(_ENDED[state], f"<p>{name}</p>")
        # No redirect: a browser follows none out of here, when it came by a form of the wallet's.
        onward = f'<meta http-equiv="refresh" content="1;url={back}">'
        return plain_page(_ENDED[state], f'<p>{name}</p><a class="open" href="{back}">返回商家 Back</a>', head=onward)


def plain_page(title: str, body: str, status: int = 200, head: str = "") -> WireAnswer:
    """A page of few words, without a script; what is in `body` and `head` is HTML."""
    html = f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">{head}<title>{title}</title><style>{_STYLE}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>"""
    return WireAnswer(status=status, body=html.encode(), content_type=_HTML, headers=_HEADERS)

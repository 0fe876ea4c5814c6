"""`/parking`: where anybody asks to let car parks take what their car owes, whatever their wallet. A car park puts up its picture."""

from html import escape
from urllib.parse import parse_qs

from hutong.gateways.agreements.agreement_service import PATH as AGREEMENTS
from hutong.gateways.agreements.page import plain_page
from hutong.gateways.parking.parking_service import DAY_MAX, ParkingService
from hutong.gateways.parking.plate import PlateColor, read_plate
from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.kernel.errors import Refusal

PATH = "/parking"
_TEXT_MAX = 32
_COLOURS = {
    PlateColor.BLUE: "蓝 Blue",
    PlateColor.GREEN: "绿 Green",
    PlateColor.LIMEGREEN: "黄绿 Yellow-green",
    PlateColor.YELLOW: "黄 Yellow",
    PlateColor.BLACK: "黑 Black",
    PlateColor.WHITE: "白 White",
}


class ParkingPage:
    """A plate is typed; what it is agreed with is the agreement's page. `name` is who people agree with."""

    def __init__(self, parking: ParkingService, name: str) -> None:
        self._parking = parking
        self._name = name

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is for the page."""
        return self.answer if request.path == PATH and request.method in {"GET", "POST"} else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The form, or the way to what it asks for."""
        if request.method == "GET":
            return self._form("", PlateColor.BLUE, "")
        sent = parse_qs(request.body.decode("latin-1"))
        number, colour = (sent.get(name, [""])[0][:_TEXT_MAX] for name in ("plate_number", "plate_color"))
        try:
            agreement = await self._parking.offer(read_plate(number, colour))
        except Refusal as refusal:
            return self._form(number, colour, refusal.reason.name)
        onward = AGREEMENTS + agreement.creditor
        return WireAnswer(
            status=303, content_type="text/plain", headers=(("location", onward), ("cache-control", "no-store"))
        )

    def _form(self, number: str, colour: str, no: str) -> WireAnswer:
        options = "".join(
            f'<option value="{each.value}"{" selected" if each.value == colour else ""}>{said}</option>'
            for each, said in _COLOURS.items()
        )
        wrong = f"<p role=alert>不行 It was refused: {escape(no)}</p>" if no else ""
        return plain_page(
            escape(self._name),
            f"""{wrong}<p>为车牌开通停车代扣：出场时自动扣费，每日至多¥{DAY_MAX // 100}.00，随时可以解约。<br>
Let car parks take what your car owes as it leaves: ¥{DAY_MAX // 100}.00 a day at most, until you end it.</p>
<form method="post"><label>车牌号 Number plate
<input name="plate_number" required autocomplete="off" maxlength="16" placeholder="粤B12345" value="{escape(number)}"></label>
<label>颜色 Colour<select name="plate_color">{options}</select></label>
<button>下一步 Go on</button></form>""",
            status=400 if no else 200,
        )

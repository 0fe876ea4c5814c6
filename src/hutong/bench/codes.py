"""Codes: an EMVCo payload read and built, a plate read off a photograph. Medians of single calls, one thread."""

import time
from collections.abc import Callable
from functools import partial

from hutong.app.scene import photograph
from hutong.bench.figures import Figures, percentile
from hutong.codes import merchant_presented
from hutong.codes.additional_data import LocalNames
from hutong.codes.picture import qr_png, read_picture
from hutong.codes.plate import Plate, PlateKind, emvco_code, mint_plate_id
from hutong.codes.printed_plate import Caption, PrintedPlate, plate_png
from hutong.kernel.ids import seeded_randomness
from hutong.kernel.money import Currency

_PHOTOGRAPHS = 5
_CALLS_MIN = 5


def measure(figures: Figures, *, seconds: float, progress: Callable[[str], None]) -> None:
    """All figures of codes."""
    progress("codes: EMVCo payloads")
    plate_id = mint_plate_id(PlateKind.MERCHANT, seeded_randomness(1))
    code = emvco_code(
        "jing",
        plate_id,
        currency=Currency.CNY,
        country="CN",
        mcc="5812",
        name="Hutong Noodles",
        city="Beijing",
        local_names=LocalNames("zh", "胡同面馆", "北京"),
    )
    payload = merchant_presented.build(code)
    figures.note("mpm_parse_us", 1e6 * _median_s(lambda: merchant_presented.read(payload), seconds / 2))
    figures.note("mpm_build_us", 1e6 * _median_s(lambda: merchant_presented.build(code), seconds / 2))
    progress("codes: pictures")
    text = str(Plate("https://jing.hutong.example", plate_id))
    clean = qr_png(text)
    assert read_picture(clean) == (text,)
    figures.note("picture_clean_read_ms", 1e3 * _median_s(lambda: read_picture(clean), seconds / 2))
    plate = plate_png(PrintedPlate(text, Caption("胡同面馆", "Hutong Noodles"))).png
    photographs = [photograph(plate, seed) for seed in range(_PHOTOGRAPHS)]
    for photo in photographs:
        assert read_picture(photo) == (text,)
    medians = [_median_s(partial(read_picture, photo), seconds / 4) for photo in photographs]
    figures.note("picture_read_ms", 1e3 * sum(medians) / len(medians))


def _median_s(call: Callable[[], object], seconds: float) -> float:
    took: list[float] = []
    ends_at = time.perf_counter() + seconds
    while len(took) < _CALLS_MIN or time.perf_counter() < ends_at:
        began_at = time.perf_counter()
        call()
        took.append(time.perf_counter() - began_at)
    return percentile(sorted(took), 0.5)

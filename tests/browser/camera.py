"""What a camera sees, as a file that Chromium's pretended camera plays."""

import io
from pathlib import Path

from PIL import Image

from hutong.app.scene import photograph
from hutong.codes.picture import qr_png

_SIZE = (640, 480)
_FRAMES = 3
NOTHING = "nothing"


def film(text: str, path: Path) -> Path:
    """A few frames of a QR code held still, as Motion JPEG; it begins again when it ends. `NOTHING`: a counter, empty."""
    frame = Image.new("RGB", _SIZE, "#d8d0c0")
    if text == NOTHING:
        with Image.open(io.BytesIO(photograph(qr_png("1"), 7))) as counter:
            frame = counter.crop((0, 0, 320, 240)).resize(_SIZE)
    else:
        side = _SIZE[1] * 3 // 4
        with Image.open(io.BytesIO(qr_png(text))) as code:
            frame.paste(code.convert("RGB").resize((side, side)), ((_SIZE[0] - side) // 2, (_SIZE[1] - side) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=90)
    path.write_bytes(out.getvalue() * _FRAMES)
    return path

"""What a camera sees, as a file that Chromium's pretended camera plays."""

import io
from pathlib import Path

from PIL import Image

from hutong.codes.picture import qr_png

_SIZE = (640, 480)
_FRAMES = 3


def film(text: str, path: Path) -> Path:
    """A few frames of a QR code held still, as Motion JPEG; it begins again when it ends."""
    with Image.open(io.BytesIO(qr_png(text))) as code:
        frame = Image.new("RGB", _SIZE, "#d8d0c0")
        side = _SIZE[1] * 3 // 4
        frame.paste(code.convert("RGB").resize((side, side)), ((_SIZE[0] - side) // 2, (_SIZE[1] - side) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=90)
    path.write_bytes(out.getvalue() * _FRAMES)
    return path

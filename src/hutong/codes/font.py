"""
Fonts for what is printed around a code.

Chinese needs a font that most servers do not have, and one big enough to fill a wheel. So: the operator's choice, else
what the system has, else the package `pylopdf-fonts-zh-cn` (Noto Sans SC) if it is installed; else the caption is drawn
in Latin with the font that Pillow carries, and whoever asked is told.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont

_SYSTEM_FONTS = (  # Path, and the face in it: the collections of Noto CJK hold Simplified Chinese third.
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),  # Debian, Ubuntu
    ("/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc", 2),  # Fedora
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),  # Arch
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
    ("/System/Library/Fonts/Hiragino Sans GB.ttc", 0),  # macOS
    ("/System/Library/Fonts/STHeiti Medium.ttc", 0),
)
_PACKAGE_FONTS = (("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),)
_IN_NO_FONT = "\U0010ffff"


def font_for(text: str, size_px: int, chosen: Path | None = None) -> Font | None:
    """The first font that has every letter of `text`, the `chosen` file before the installed ones; or none."""
    plain = ImageFont.load_default(size_px)
    if isinstance(plain, Font) and _has(plain, text):
        return plain
    for path, face in [*([] if chosen is None else [(chosen, 0)]), *_installed()]:
        try:
            font = ImageFont.truetype(path, size_px, index=face)
        except OSError:  # Not a font after all, or none that this FreeType reads.
            continue
        if _has(font, text):
            return font
    return None


def font_file(text: str, chosen: Path | None = None) -> tuple[Path, int] | None:
    """The file, and the face in it, of the first font that has every letter of `text`, for who embeds it; or none."""
    for path, face in [*([] if chosen is None else [(chosen, 0)]), *_installed()]:
        try:
            font = ImageFont.truetype(path, 20, index=face)
        except OSError:
            continue
        if _has(font, text):
            return path, face
    return None


@lru_cache(maxsize=1)
def _installed() -> tuple[tuple[Path, int], ...]:
    found = [(Path(path), face) for path, face in _SYSTEM_FONTS]
    for package, name in _PACKAGE_FONTS:
        spec = find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            found.append((Path(spec.submodule_search_locations[0]) / name, 0))
    return tuple((path, face) for path, face in found if path.is_file())


def _has(font: Font, text: str) -> bool:
    """Whether no letter of `text` looks as one that no font has: the empty box that FreeType draws instead."""
    box = bytes(font.getmask(_IN_NO_FONT))
    return all(letter.isspace() or bytes(font.getmask(letter)) != box for letter in set(text))

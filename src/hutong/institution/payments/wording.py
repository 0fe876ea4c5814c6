"""Words from other nodes, before they are kept: a row that cannot be written would stop the whole node."""

from functools import lru_cache

from hutong.kernel.errors import Reason
from hutong.kernel.text import check_text

_NAME_LENGTH_MAX = 70
_CODE_LENGTH_MAX = 35


def network_reason(name: str, iso_code: str, otherwise: Reason) -> tuple[str, str]:
    """A reason as another node gave it, if it looks like one; else ours."""
    if 0 < len(name) <= _NAME_LENGTH_MAX and name.isascii() and name.replace("_", "").isalnum():
        good_code = len(iso_code) <= _CODE_LENGTH_MAX and iso_code.isascii() and iso_code.isalnum()
        return name, iso_code if good_code else otherwise.iso_code
    return otherwise.name, otherwise.iso_code


@lru_cache(10_000)
def network_text(field: str, text: str) -> str:
    """Words of another node that people will be shown; refuses what shows another thing than it is."""
    return check_text(field, text.strip(), length_max=512, empty=True)

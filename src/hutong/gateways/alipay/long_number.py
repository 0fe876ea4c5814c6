"""Alipay's numbers of what isn't a trade: 47 digits, the day in Beijing and our own id."""

from hutong.gateways.alipay.beijing import local

_DAY_DIGITS, _ID_DIGITS = 8, 39


def long_number(id_: int, made_ns: int) -> str:
    """The number of a thing that was made then."""
    return f"{local(made_ns):%Y%m%d}{id_:0{_ID_DIGITS}d}"


def id_of(number: str) -> int:
    """The id that a number holds; 0 for what is none of ours."""
    if len(number) != _DAY_DIGITS + _ID_DIGITS or not (number.isascii() and number.isdecimal()):
        return 0
    found = int(number[_DAY_DIGITS:])
    return found if found < 1 << 128 else 0

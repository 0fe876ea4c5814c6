"""What the operator sets for people: secrets, names of operators, where plates lead."""

import msgspec

from hutong.kernel.clock import NS_PER_HOUR

DAY_STARTS_NS = 8 * NS_PER_HOUR  # How far our midnight lies before UTC's: handles in payment codes change then.


class PeopleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    None of the secrets has a default, and none is shown.

    `payment_code_key` cannot be replaced while today's payment codes are to stay good; replacing `token_key` ends all
    sessions; sealing keys are replaced by putting a new one first, the PINs' pepper by keeping it among the older ones.
    """

    token_key: bytes
    pin_pepper: bytes
    sealing_keys: tuple[bytes, ...]
    payment_code_key: bytes
    payment_code_prefix: str
    plate_base: str  # `https://jing.example`: where this institution's plates lead.
    operators: dict[str, str]  # Admins of the secrets file: name and bearer token.
    two_person: bool = False  # What takes two operators is refused to one.
    older_pin_peppers: tuple[bytes, ...] = ()  # What PINs were peppered with before.

    def __repr__(self) -> str:
        return f"PeopleSettings(plate_base={self.plate_base!r}, operators={sorted(self.operators)})"

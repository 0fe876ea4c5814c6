"""
Payees of plates, remembered.

A plate is paid again and again, and the payee it names changes only when the merchant, a shop, a fee or a plate does,
or when a fee's time comes: working it out anew was a twelfth of a payment on us.
"""

from collections.abc import Callable

from hutong.institution.requests.payee import Payee

_PAYEES_MAX = 100_000


class PayeeMemory:
    """
    `work_out` tells a plate's payee and until when it holds if nothing changes; it may refuse, and raise `Cold`.

    `changes` is a number that is another one behind every change.
    """

    def __init__(self, work_out: Callable[[int, int], tuple[Payee, int]], changes: Callable[[], int]) -> None:
        self._work_out = work_out
        self._changes = changes
        self._known_at = -1
        self._payees: dict[int, tuple[Payee, int, int]] = {}  # With the time from which and until which each holds.

    def of(self, plate_id: int, now_ns: int) -> Payee:
        """The payee as things stand."""
        changes = self._changes()
        if changes != self._known_at or len(self._payees) > _PAYEES_MAX:
            self._payees.clear()
            self._known_at = changes
        known = self._payees.get(plate_id)
        if known is not None and known[1] <= now_ns < known[2]:
            return known[0]
        payee, until_ns = self._work_out(plate_id, now_ns)
        self._payees[plate_id] = payee, now_ns, until_ns
        return payee

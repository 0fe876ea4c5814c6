"""The people service, as red packets need it."""

from hutong.institution.people.service import PeopleService
from hutong.kernel.ids import derive


class OwnPeople:
    """People of an institution, and a code of each to be paid by."""

    def __init__(self, people: PeopleService) -> None:
        self.user = people.user
        self.check_pin_token = people.check_pin_token
        self._codes = people.codes

    def own_codes(self, user_id: int) -> dict[int, str]:
        """All such codes there are, by their ids."""
        codes = self._codes.personal_codes(user_id)
        return {code.id: self._codes.plate_text(code) for code in codes if code.active and not code.amount}

    def own_code(self, user_id: int) -> str:
        """A code by which this person is paid any amount; one is made for who has none."""
        codes = self._codes.personal_codes(user_id)
        for code in codes:
            if code.active and not code.amount:
                return self._codes.plate_text(code)
        # Named by how many there were, so that looking things up and deciding again makes the same one.
        code_id = derive(user_id, f"red packets/{len(codes)}")
        return self._codes.plate_text(self._codes.make_personal_code(user_id, code_id))

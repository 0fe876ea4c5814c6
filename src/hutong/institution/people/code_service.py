"""The codes of people: personal codes they are paid by, payment codes they pay with."""

from collections.abc import Iterable

import msgspec

from hutong.codes.claims import KEPT_NS, Claim, Claimed, PaymentCodeClaims
from hutong.codes.code import CodeReason
from hutong.codes.guesses import GuessLimiter
from hutong.codes.payment_code import Device as CodeDevice
from hutong.codes.payment_code import PaymentCodeIssuer
from hutong.codes.plate import Plate, PlateId, PlateKind, mint_plate_id, read_plate_id
from hutong.institution.people.device_service import DeviceService
from hutong.institution.people.foreign_code import CODES_MAX as CODES_OF_OTHERS_MAX
from hutong.institution.people.foreign_code import ForeignCode, check_foreign, foreign_code_id, is_foreign
from hutong.institution.people.payment_code import PaymentCodeHolder, PaymentCodeKeys
from hutong.institution.people.personal_code import CODES_MAX, REMARK_LENGTH_MAX, PersonalCode, check_amount
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PaymentCodeClaim, PaymentCodeMiss, PeopleRepository, hour, minute
from hutong.institution.people.settings import DAY_STARTS_NS
from hutong.institution.people.user import checked_id
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime


class CodeService:
    """A payment code is claimed by one charge; a personal code leads to one user."""

    def __init__(
        self,
        node: NodeRuntime,
        repository: PeopleRepository,
        devices: DeviceService,
        issuer: PaymentCodeIssuer,
        plate_base: str,
    ) -> None:
        self._node = node
        self._repository = repository
        self._devices = devices
        self._issuer = issuer
        self._plate_base = plate_base
        self._claims = PaymentCodeClaims()
        self._guesses = GuessLimiter()
        self._number = 0
        self._plates: dict[int, str] = {}  # Minted for a code that is being decided: a second try looks up the same.

    async def start(self) -> None:
        """Take back what still counts: claims that could be repeated, misses of the last day."""
        now_ns = self._node.clock.now_ns()
        self._number = await self._repository.number_max()
        claims = await self._repository.claims_since(now_ns - KEPT_NS, now_ns)
        self._claims.load(Claim(row.code, derive(row.charge_id, row.acquirer), row.claimed_ns) for row in claims)
        for miss in await self._repository.misses_since(now_ns - NS_PER_DAY, now_ns):
            self._guesses.note_wrong(miss.acquirer, miss.code, miss.missed_ns)

    def next_number(self) -> int:
        """A number for a new user, to be written in the same decision. Refuses USER_NUMBERS_EXHAUSTED."""
        if self._number >= self._issuer.user_number_max:
            raise Refusal(PeopleReason.USER_NUMBERS_EXHAUSTED)
        self._number += 1
        return self._number

    def payment_code_keys(self, user_id: int, device_id: int) -> PaymentCodeKeys:
        """
        For the device itself, once a day: its seed, and what stands for the user today and tomorrow.

        Refuses:  USER_CLOSED, USER_FROZEN, DEVICE_UNKNOWN, DEVICE_LOST.
        """
        user = self._repository.user(user_id)
        seed = self._devices.seed(self._devices.device(user_id, device_id))
        user.may_pay()
        now_ns = self._node.clock.now_ns()
        today = self._issuer.day(now_ns)
        return PaymentCodeKeys(
            head_today=self._issuer.head(user.number, today),
            head_tomorrow=self._issuer.head(user.number, today + 1),
            today_ends_ns=(today + 1) * NS_PER_DAY - DAY_STARTS_NS,
            seed=seed,
        )

    def claim_payment_code(self, code: str, charge_id: int, acquirer: str) -> PaymentCodeHolder:
        """
        Give the code to the charge, and tell whose phone shows it. A miss is written down, and then refused.

        A number that another system issued is given to nobody: its owner is told of, who is to be asked.
        Refuses:  PAYMENT_CODE_GUESSES_EXHAUSTED; PAYMENT_CODE_MALFORMED, _EXPIRED, _WRONG; USER_FROZEN, USER_CLOSED;
                  PAYMENT_CODE_REUSED when another charge has it.
        Repeats:  the same charge gets the same answer while the code lives.
        """
        holder, now_ns = self._holder(code, acquirer), self._node.clock.now_ns()
        if holder.is_to_be_asked:
            return holder
        # A claim is for a charge of an acquirer: another acquirer's charge may bear the same id.
        if self._claims.claim(code, derive(charge_id, acquirer), now_ns) is Claimed.FIRST:
            self._repository.claim(
                PaymentCodeClaim(
                    code=code,
                    charge_id=charge_id,
                    acquirer=acquirer,
                    user_id=holder.user_id,
                    device_id=holder.device_id,
                    claimed_ns=now_ns,
                    minute=minute(now_ns),
                )
            )
        return holder

    def look_at_payment_code(self, code: str, reader: str) -> PaymentCodeHolder:
        """
        Whose phone shows it; it is given to nobody, and may still be paid with. A miss is written down, and then refused.

        Refuses:  as `claim_payment_code`; PAYMENT_CODE_REUSED of one that any charge has.
        """
        if self._claims.is_claimed(code):
            raise Refusal(CodeReason.PAYMENT_CODE_REUSED)
        return self._holder(code, reader)

    def _holder(self, code: str, acquirer: str) -> PaymentCodeHolder:
        now_ns = self._node.clock.now_ns()
        self._guesses.check(acquirer, code, now_ns)
        if is_foreign(code, self._issuer.prefix):
            foreign = self._repository.foreign_codes.get(foreign_code_id(code))
            if foreign is None or not foreign.active:
                self._miss(acquirer, code, now_ns)
                raise Refusal(CodeReason.PAYMENT_CODE_WRONG)
            self._repository.user(foreign.user_id).may_pay()
            return PaymentCodeHolder(foreign.user_id, 0, is_to_be_asked=True)
        try:
            verified = self._issuer.verify(code, now_ns, self._devices_of)
        except Refusal as refusal:
            if refusal.reason is CodeReason.PAYMENT_CODE_WRONG:
                self._miss(acquirer, code, now_ns)
            raise
        (user,) = self._repository.users.find("number", verified.user_number)
        user.may_pay()
        return PaymentCodeHolder(user.id, verified.device_id)

    def bind_foreign_code(self, user_id: int, digits: str) -> ForeignCode:
        """
        Let a number that another system issued lead to a user, who is asked whenever it is shown.

        Refuses:  FOREIGN_CODE_MALFORMED; USER_UNKNOWN, USER_CLOSED; FOREIGN_CODE_TAKEN; FOREIGN_CODES_TOO_MANY.
        Repeats:  the same.
        """
        check_foreign(digits, self._issuer.prefix)
        user = self._repository.user(user_id)
        known = self._repository.foreign_codes.get(foreign_code_id(digits))
        active = sum(code.active for code in self._repository.foreign_codes.find("user_id", user_id))
        if known is not None and known.active:
            if known.user_id != user_id:
                raise Refusal(PeopleReason.FOREIGN_CODE_TAKEN, field="digits")
            return known
        user.is_open()
        if active >= CODES_OF_OTHERS_MAX:
            raise Refusal(PeopleReason.FOREIGN_CODES_TOO_MANY, codes_max=CODES_OF_OTHERS_MAX)
        code = ForeignCode(foreign_code_id(digits), digits, user_id, self._node.clock.now_ns())
        self._repository.foreign_codes.put(code)
        return code

    def unbind_foreign_code(self, user_id: int, digits: str) -> ForeignCode:
        """The number leads nowhere any more. Refuses FOREIGN_CODE_UNKNOWN, also another's. Repeats: the same."""
        code = self._repository.foreign_codes.get(foreign_code_id(digits))
        if code is None or code.user_id != user_id:
            raise Refusal(PeopleReason.FOREIGN_CODE_UNKNOWN)
        if code.active:
            code = msgspec.structs.replace(code, active=False, changed_ns=self._node.clock.now_ns())
            self._repository.foreign_codes.put(code)
        return code

    def _miss(self, acquirer: str, code: str, now_ns: int) -> None:
        self._guesses.note_wrong(acquirer, code, now_ns)
        self._repository.miss(PaymentCodeMiss(acquirer=acquirer, code=code, missed_ns=now_ns, hour=hour(now_ns)))

    def make_personal_code(
        self, user_id: int, code_id: int, *, amount: int = 0, currency: str = "CNY", remark: str = ""
    ) -> PersonalCode:
        """
        A new plate for a user; amount 0 lets the payer say how much.

        Refuses:  ID_FROM_THE_FUTURE, AMOUNT_OUT_OF_RANGE, CURRENCY_UNKNOWN, what `check_text` refuses, USER_CLOSED, USER_FROZEN,
                  PERSONAL_CODE_TAKEN, PERSONAL_CODES_TOO_MANY.
        Repeats:  the same id and content: the same code. Other content: PERSONAL_CODE_TAKEN, naming the field.
        """
        now_ns = self._node.clock.now_ns()
        checked_id("id", code_id, now_ns)
        check_amount(amount, currency)
        remark = check_text("remark", remark, length_max=REMARK_LENGTH_MAX, empty=True)
        user = self._repository.user(user_id)
        known = self._repository.personal_codes.get(code_id)
        active = sum(code.active for code in self._repository.personal_codes.find("user_id", user_id))
        if known is not None:
            if known.user_id != user_id:
                raise Refusal(PeopleReason.PERSONAL_CODE_TAKEN, field="id")
            known.check_same(amount, currency, remark)
            return known
        user.may_receive()
        if active >= CODES_MAX:
            raise Refusal(PeopleReason.PERSONAL_CODES_TOO_MANY, codes_max=CODES_MAX)
        plate = self._free_plate(code_id)
        code = PersonalCode(
            id=code_id,
            plate=plate,
            user_id=user_id,
            amount=amount,
            currency=currency,
            remark=remark,
            changed_ns=now_ns,
        )
        self._repository.personal_codes.put(code)
        return code

    def deactivate_personal_code(self, user_id: int, code_id: int) -> PersonalCode:
        """Nobody is paid by this code any more. Refuses PERSONAL_CODE_UNKNOWN, also somebody else's. Repeats: the same."""
        code = self.personal_code(code_id)
        if code.user_id != user_id:
            raise Refusal(PeopleReason.PERSONAL_CODE_UNKNOWN)
        if code.active:
            now_ns = self._node.clock.now_ns()
            code = msgspec.structs.replace(code, active=False, changed_ns=now_ns)
            self._repository.personal_codes.put(code)
        return code

    def personal_codes(self, user_id: int) -> list[PersonalCode]:
        """The user's codes, oldest first; raises `Cold`."""
        return self._repository.personal_codes.find("user_id", user_id)

    def personal_code(self, code_id: int) -> PersonalCode:
        """Refuses PERSONAL_CODE_UNKNOWN. Whether it is active, and its user may receive, the payee's rules ask."""
        code = self._repository.personal_codes.get(code_id)
        if code is None:
            raise Refusal(PeopleReason.PERSONAL_CODE_UNKNOWN)
        return code

    def personal_code_on(self, plate: PlateId) -> PersonalCode:
        """The code a plate shows; refuses PERSONAL_CODE_UNKNOWN."""
        found = self._repository.personal_codes.find("plate", str(plate))
        if not found:
            raise Refusal(PeopleReason.PERSONAL_CODE_UNKNOWN)
        return found[0]

    def plate_text(self, code: PersonalCode) -> str:
        """What the plate's picture says: a link that any camera opens."""
        return str(Plate(self._plate_base, read_plate_id(code.plate)))

    def _free_plate(self, code_id: int) -> str:
        while True:
            plate = self._plates.setdefault(code_id, str(mint_plate_id(PlateKind.PERSON, self._node.randomness)))
            is_taken = self._repository.personal_codes.find("plate", plate)
            del self._plates[code_id]
            if not is_taken:
                return plate

    def _devices_of(self, user_number: int) -> Iterable[CodeDevice]:
        # Most guesses stand for numbers nobody has: those cost neither a query nor memory.
        if not 1 <= user_number <= self._number:
            return []
        users = self._repository.users.find("number", user_number)
        devices = [device for user in users for device in self._devices.devices(user.id) if device.is_active]
        return [CodeDevice(device.id, self._devices.seed(device)) for device in devices]

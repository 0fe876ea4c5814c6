"""A bank is a participant like any other: money in under its mandate, money out to a code of its own."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hutong.institution.payments.bank_link_service import ACCOUNTS_MAX
from hutong.institution.payments.mandate import (
    BankAccount,
    Mandate,
    TopUpState,
    proof_of,
    read_proof,
    withdrawal_creditor,
)
from hutong.institution.payments.mandate_service import MANDATES_MAX
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import Charge, ToPay
from hutong.kernel.clock import instant
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person, pin_token
from tests.institution.payments.world import World, now

CODE = "https://yun.example/q/me"


class Link:
    """A person with a wallet at jing and an account at yun."""

    def __init__(self, *, daily_max: int = 100_000, bank: str = "yun") -> None:
        self.world = World("jing", "yun")
        self.world.register("yun", "url:https://yun.example/q/")
        self.jing, self.yun = self.world["jing"], self.world[bank]
        self.user: Person = self.jing.user()
        self.holder: Person = self.yun.user(500_000)
        self.yun.asks(user=self.holder, code=CODE)
        self.mandate, self.text = self.grant("jing", daily_max)
        self.account = self.link(self.text)

    def grant(self, grantee: str, daily_max: int) -> tuple[Mandate, str]:
        mandates = self.yun.payments.mandates
        granted = now(warmed(self.yun.journal, lambda: mandates.grant(self.holder.id, grantee, daily_max, "工资卡")))
        self.yun.journal.seal()
        return granted

    def link(self, text: str) -> BankAccount:
        bank_account_id = self.jing.node.mint.mint()
        link = self.jing.payments.bank_link
        account = now(
            warmed(
                self.jing.journal,
                lambda: link.link(self.user.id, bank_account_id, name="云行", mandate=text, code=CODE),
            )
        )
        self.jing.journal.seal()
        return account

    def top_up(self, amount: int, top_up_id: int = 0) -> str:
        """The top-up's state, and the bank's reason if there is one."""
        top_up_id = top_up_id or self.jing.node.mint.mint()
        link, told = self.jing.payments.bank_link, list[Charge]()
        self.jing.decide(lambda: _none(link.top_up(self.user.id, top_up_id, self.account.id, amount, told.append)))
        top_up = link.found(self.user.id, top_up_id)
        return top_up.reason or top_up.state

    def withdraw(self, amount: int, *, token: str = "", payment_id: int = 0) -> Outcome:
        payment_id = payment_id or self.jing.node.mint.mint()
        creditor = withdrawal_creditor(self.account.id)
        token = token or pin_token(self.user.id, payment_id, amount, creditor)
        answers: list[tuple[Payment, Outcome | None]] = []
        link = self.jing.payments.bank_link
        order = (self.user.id, payment_id, self.account.id, amount, token)

        async def known(code: str) -> object:
            return self.jing.terms(code)

        link._consults.terms = known  # type: ignore[method-assign, assignment]  # It waits for the network, which is here.
        now(link.withdraw(*order, lambda *answer: answers.append(answer)))
        ((_, outcome),) = answers
        assert outcome is not None
        return outcome

    @property
    def balances(self) -> tuple[int, int]:
        return self.jing.balance(self.user.wallet_account), self.yun.balance(self.holder.wallet_account)


banks = pytest.mark.parametrize("bank", ["yun", "jing"])


@banks
def test_money_comes_in_under_a_mandate_and_goes_out_to_the_bank(bank: str) -> None:
    link = Link(bank=bank)
    assert link.top_up(30_000) == TopUpState.PAID
    assert link.balances == (30_000, 470_000)
    assert link.withdraw(10_000).completed
    assert link.balances == (20_000, 480_000)
    assert all(place.balanced() for place in link.world.places.values())


@banks
def test_a_mandate_can_be_used_to_its_daily_limit_and_not_a_fen_beyond(bank: str) -> None:
    link = Link(bank=bank)
    assert link.top_up(60_000) == TopUpState.PAID
    assert link.top_up(40_001) == "MANDATE_LIMIT_EXCEEDED"
    assert link.top_up(40_000) == TopUpState.PAID
    assert link.top_up(1) == "MANDATE_LIMIT_EXCEEDED"
    link.world.tick(24 * 3600)
    assert link.top_up(1) == TopUpState.PAID


@banks
def test_a_top_up_the_bank_account_does_not_cover_gives_the_mandates_room_back(bank: str) -> None:
    link = Link(daily_max=600_000, bank=bank)
    assert link.top_up(500_001) == "BALANCE_INSUFFICIENT"
    assert link.balances == (0, 500_000)
    assert link.yun.payments.mandates.mandate(link.mandate.id).used == 0
    assert link.top_up(500_000) == TopUpState.PAID


def test_what_was_claimed_before_midnight_and_refused_behind_it_gives_back_to_no_other_day() -> None:
    link = Link(daily_max=600_000)
    zone = ZoneInfo("Asia/Shanghai")
    local = instant(link.world.clock.now_ns()).astimezone(zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), zone)
    link.world.tick(int((midnight - local).total_seconds()) - 1)
    to_pays = link.yun.payments.to_pays
    settle, late = to_pays._settle, list[ToPay]()
    # What the bank has to know of the payer is loaded only behind midnight.
    to_pays._settle = lambda row: late.append(row) if row.amount > 500_000 else settle(row)  # type: ignore[method-assign]
    assert link.top_up(500_001) == TopUpState.OPEN
    link.world.tick(2)
    assert link.top_up(100) == TopUpState.PAID
    link.yun.decide(lambda: settle(late[0]))
    assert link.yun.payments.mandates.mandate(link.mandate.id).used == 100


@banks
def test_a_revoked_mandate_takes_nothing(bank: str) -> None:
    link = Link(bank=bank)
    link.yun.payments.mandates.revoke(link.holder.id, link.mandate.id)
    link.yun.journal.seal()
    assert link.top_up(1) == "MANDATE_REVOKED"


def test_a_mandate_is_for_whom_it_was_granted_to() -> None:
    link = Link()
    _, text = link.grant("wei", 1_000)
    link.account = link.link(text)
    assert link.top_up(1) == "MANDATE_OF_ANOTHER"
    link.account = link.link("mandate:yun:" + "0" * 32)
    assert link.top_up(1) == "MANDATE_UNKNOWN"


def test_a_top_up_happens_once_and_its_id_means_one_thing() -> None:
    link = Link()
    top_up_id = link.jing.node.mint.mint()
    assert link.top_up(100, top_up_id) == TopUpState.PAID
    assert link.top_up(100, top_up_id) == TopUpState.PAID
    assert link.balances == (100, 499_900)
    with pytest.raises(Refusal) as refused:
        link.top_up(101, top_up_id)
    assert refused.value.reason is PaymentReason.ID_TAKEN
    assert refused.value.facts == {"field": "amount"}


def test_a_withdrawal_needs_the_pin_and_the_money() -> None:
    link = Link()
    link.top_up(100)
    with pytest.raises(Refusal):
        link.withdraw(100, token="pin:wrong")
    assert link.withdraw(101).reason == "BALANCE_INSUFFICIENT"
    assert link.withdraw(100).completed
    assert link.balances == (0, 500_000)


def test_what_is_between_ones_own_accounts_counts_towards_no_limit() -> None:
    link = Link()
    link.top_up(50_000)
    link.withdraw(50_000)
    assert link.jing.payments.debtor.usages.of(link.user.id, link.user.wallet_account).year_spent == 0
    assert link.yun.payments.debtor.usages.of(link.holder.id, link.holder.wallet_account).year_spent == 0


@pytest.mark.parametrize("bank", ["yun", "jing"])
def test_what_goes_to_somebody_elses_account_counts_like_any_payment_to_a_person(bank: str) -> None:
    link = Link(bank=bank)
    link.top_up(50_000)
    link.jing.users[link.user.id] = replace(link.user, name="*红")  # The bank's holder has another name.
    assert link.withdraw(20_000).completed
    assert _spent(link) == 20_000
    link.jing.users[link.user.id] = replace(link.user, name=f" {link.holder.name} ")
    assert link.withdraw(20_000).completed
    assert _spent(link) == 20_000


def test_a_code_without_a_mandate_or_of_another_than_granted_it_is_not_proven_ones_own() -> None:
    link = Link()
    link.top_up(50_000)
    stranger = link.yun.user()
    link.yun.asks(user=stranger, code=CODE)  # The same text leads to somebody else now.
    assert link.withdraw(1_000).completed
    assert _spent(link) == 1_000
    link.account = link.link("")
    assert link.withdraw(1_000).completed
    assert _spent(link) == 2_000


def test_a_withdrawal_after_the_mandate_was_revoked_is_counted() -> None:
    link = Link()
    link.top_up(50_000)
    link.yun.payments.mandates.revoke(link.holder.id, link.mandate.id)
    assert link.withdraw(1_000).completed
    assert _spent(link) == 1_000


def test_a_proof_tells_no_name_and_only_who_was_given_the_mandate_gets_an_answer() -> None:
    link = Link()
    proof = proof_of(link.text, link.holder.name, CODE)
    assert link.holder.name not in str(proof)
    assert proof != proof_of(link.text, "别人", CODE)
    assert read_proof(str(proof)) == proof
    assert link.jing.terms(str(proof)).request_id
    for text, because in (
        (str(proof_of("mandate:yun:" + "0" * 32, link.holder.name, CODE)), "MANDATE_UNKNOWN"),
        (link.text, "MANDATE_MALFORMED"),
        (f"{link.text}:{'0' * 32}:{CODE}", "HOLDER_DIFFERS"),
        (str(proof_of(link.grant("wei", 1)[1], link.holder.name, CODE)), "MANDATE_OF_ANOTHER"),
        (str(proof_of("mandate:nobody:" + "0" * 32, link.holder.name, CODE)), "PARTICIPANT_UNKNOWN"),
    ):
        with pytest.raises(Refusal) as refused:
            link.jing.terms(text)
        assert refused.value.facts["because"] == because


def test_mandates_and_linked_accounts_are_bounded() -> None:
    link = Link()
    for _ in range(MANDATES_MAX - 1):
        mandate, _ = link.grant("jing", 1)
    with pytest.raises(Refusal, match="MANDATES_TOO_MANY"):
        link.grant("jing", 1)
    link.yun.payments.mandates.revoke(link.holder.id, mandate.id)
    link.grant("jing", 1)
    for _ in range(ACCOUNTS_MAX - 1):
        link.link(link.text)
    with pytest.raises(Refusal, match="BANK_ACCOUNTS_TOO_MANY"):
        link.link(link.text)


def _spent(link: Link) -> int:
    return link.jing.payments.debtor.usages.of(link.user.id, link.user.wallet_account).year_spent


def _none(_: object) -> None:
    pass


def test_a_banks_no_is_heard_by_a_wallet_that_started_again_meanwhile() -> None:
    link = Link(daily_max=1)
    link.world.posting = True  # The network holds on to what is sent.
    top_up_id = link.jing.node.mint.mint()
    top_up = link.jing.payments.bank_link.top_up
    link.jing.decide(lambda: _none(top_up(link.user.id, top_up_id, link.account.id, 2)))
    link.world.restart("jing")
    link.world.posting = False
    link.world.settle()
    found = now(warmed(link.jing.journal, lambda: link.jing.payments.bank_link.found(link.user.id, top_up_id)))
    assert (found.state, found.reason) == (TopUpState.REJECTED, "MANDATE_LIMIT_EXCEEDED")


@pytest.mark.parametrize("overtaken", [True, False])
def test_a_banks_no_ends_the_top_up_whichever_of_its_two_messages_comes_first(overtaken: bool) -> None:
    link = Link()
    world = link.world
    world.posting = True
    top_up_id = link.jing.node.mint.mint()
    top_up = link.jing.payments.bank_link.top_up
    link.jing.decide(lambda: _none(top_up(link.user.id, top_up_id, link.account.id, 100)))
    for _ in range(4):  # The request to pay to the bank; its payment to the wallet, which claims the top-up.
        world.deliver(world.letters.pop(0))
    world.letters.clear()  # That it accepted is lost.
    assert link.jing.payments.bank_link.found(link.user.id, top_up_id).state == TopUpState.CLAIMED
    world.clock.advance(seconds=61)
    world.switch.tick()
    world.switch.journal.seal()
    to_wallet = [letter for letter in world.letters if letter[1] == "jing"]
    world.letters = [letter for letter in world.letters if letter[1] != "jing"]
    if not overtaken:
        world.deliver(to_wallet.pop())
    while world.letters:
        world.deliver(world.letters.pop(0))
    for letter in to_wallet:
        world.deliver(letter)
    found = link.jing.payments.bank_link.found(link.user.id, top_up_id)
    assert (found.state, found.reason, found.claimed_by) == (TopUpState.REJECTED, "DEADLINE_PASSED", 0)
    assert link.yun.payments.mandates.mandate(link.mandate.id).used == 0


def test_a_top_up_nobody_answered_is_shown_as_expired_when_its_time_is_over() -> None:
    link = Link()
    link.world.posting = True
    link.top_up(100, top_up_id := link.jing.node.mint.mint())
    found = link.jing.payments.bank_link.found(link.user.id, top_up_id)
    assert found.state_at(found.expires_ns - 1) == TopUpState.OPEN
    assert found.state_at(found.expires_ns) == TopUpState.EXPIRED


@pytest.mark.parametrize(
    "text",
    [
        "mandate:" + "y" * 2_000_000 + ":" + "0" * 32,  # An envelope holds less.
        "mandate:yun:" + "g" * 32,
        "mandate:yun:" + "0" * 31,
        "mandate:yun x:" + "0" * 32,
        "mandate::" + "0" * 32,
        "mandate:yun:" + "0" * 32 + "\n",
    ],
)
def test_a_text_that_is_no_mandate_is_not_linked(text: str) -> None:
    with pytest.raises(Refusal, match="MANDATE_MALFORMED"):
        Link().link(text)


def test_a_grant_asked_for_again_under_the_same_id_is_the_same_mandate() -> None:
    link = Link()
    grant = link.yun.payments.mandates.grant

    def granted(daily_max: int = 500, name: str = "卡", grant_id: str = "g-1") -> tuple[Mandate, str]:
        return now(warmed(link.yun.journal, lambda: grant(link.holder.id, "jing", daily_max, name, grant_id)))

    first = granted()
    assert granted() == first
    assert granted(grant_id="g-2")[1] != first[1]
    for changed in ({"daily_max": 501}, {"name": "别的"}):
        with pytest.raises(Refusal, match="ID_TAKEN") as refused:
            granted(**changed)
        assert refused.value.facts["field"] in changed


# Which account it is.


@banks
def test_a_bank_names_one_account_alike_under_all_of_its_mandates(bank: str) -> None:
    """Two people who link one account do so under a mandate each: that it is one, the bank alone can say."""
    link = Link(bank=bank)
    other, somebody = link.jing.user(), link.yun.user(500_000)
    _, second = link.grant("jing", 5_000)
    linked = linked_by(link, other, second)
    assert linked.mark == account_of(link).mark != 0
    link.holder = somebody
    assert linked_by(link, other, link.grant("jing", 5_000)[1]).mark not in {0, linked.mark}
    links = link.jing.payments.bank_link
    marks = now(links.marks_of([link.user.id, other.id]))
    assert marks[link.user.id] & marks[other.id] == {linked.mark}
    assert all(links.is_known(each.id) for each in (link.user, other))


def test_a_mandate_that_was_made_up_or_revoked_or_is_anothers_names_no_account() -> None:
    link = Link()
    links = link.jing.payments.bank_link
    mandate, revoked = link.grant("jing", 5_000)
    link.yun.decide(lambda: _none(link.yun.payments.mandates.revoke(link.holder.id, mandate.id)))
    for text in (f"mandate:yun:{7:032x}", f"mandate:nobody:{7:032x}", revoked, link.grant("zhi", 5_000)[1]):
        somebody = link.jing.user()
        assert linked_by(link, somebody, text).mark == 0
        assert not links.is_known(somebody.id)


def test_what_a_bank_says_stays_when_the_account_is_unlinked_and_behind_a_restart() -> None:
    link = Link()
    links = link.jing.payments.bank_link
    mark = account_of(link).mark
    now(warmed(link.jing.journal, lambda: links.unlink(link.user.id, link.account.id)))
    link.jing.journal.seal()
    link.world.flush()
    assert not links.is_known(link.user.id)
    assert mark in now(links.marks_of([link.user.id]))[link.user.id]


def test_a_bank_that_was_silent_is_asked_again() -> None:
    link = Link()
    links, told = link.jing.payments.bank_link, list[str]()
    somebody = link.jing.user()
    _, text = link.grant("jing", 5_000)
    link.world.posting = True  # Nothing arrives for a while ...
    linked = linked_by(link, somebody, text, flush=False)
    link.world.letters.clear()  # ... or ever.
    link.world.posting = False
    assert not links.is_known(somebody.id)
    link.jing.decide(lambda: links.ask_banks(somebody.id, lambda: told.append("known")))
    link.world.flush()
    assert told == ["known"]
    assert links.is_known(somebody.id)
    assert linked.mark == 0, "what was answered when it was linked"
    link.jing.decide(lambda: links.ask_banks(somebody.id, lambda: told.append("asked again")))
    link.world.flush()
    assert told == ["known"]


def linked_by(link: Link, user: Person, text: str, *, flush: bool = True) -> BankAccount:
    """This person links an account under this mandate; as it is when the bank has answered."""
    links, id_ = link.jing.payments.bank_link, link.jing.node.mint.mint()
    linked = now(warmed(link.jing.journal, lambda: links.link(user.id, id_, name="云行", mandate=text, code="")))
    link.jing.journal.seal()
    if not flush:
        return linked
    link.world.flush()
    return next(each for each in links.accounts(user.id) if each.id == linked.id)


def account_of(link: Link) -> BankAccount:
    link.world.flush()
    (account,) = link.jing.payments.bank_link.accounts(link.user.id)
    return account

"""People who invite each other: real payments, invitations and rewards, beside campaigns and people that keep their promises."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hutong.institution import chart
from hutong.institution.payments.payment import Payment, PaymentState
from hutong.institution.payments.refund import RefundOrder
from hutong.institution.people.device import Device
from hutong.institution.people.user import Evidence, User
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import derive
from hutong.ledger import recipes
from hutong.marketing.invitations.circle_service import CircleService
from hutong.marketing.invitations.invitation import Invitation
from hutong.marketing.invitations.money_service import MoneyService
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import Referral, referral_id
from hutong.marketing.invitations.register_service import ReferralRegister
from hutong.marketing.invitations.reward_service import RewardService
from hutong.marketing.invitations.service import InvitationService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, warmed
from hutong.runtime.tables import BigInt, Table, Text, Uuid
from tests.institution.payments.neighbours import Asks
from tests.institution.payments.world import Institution, World, now

DAY_S = 86_400
HOLD_S = 72 * 3600
CAMPAIGN = 7 << 84


class PurseReason(Reason):
    """As campaigns say it."""

    PURSE_EMPTY = Kind.REFUSED, "AM04"


class InviteCampaign(msgspec.Struct):
    """One that may be paused."""

    id: int = CAMPAIGN
    name: str = "邀请有礼"
    inviting: Mapping[str, Any] = {}
    ends_ns: int = 2**62
    running: bool = True

    def runs(self, now_ns: int, /) -> bool:
        return self.running and now_ns < self.ends_ns

    def offers(self, _person_id: int, /) -> bool:
        return True


class Campaigns:
    def __init__(self) -> None:
        self.all = {CAMPAIGN: InviteCampaign()}

    def inviting(self) -> Sequence[InviteCampaign]:
        return list(self.all.values())

    def inviting_campaign(self, campaign_id: int, /) -> InviteCampaign:
        if campaign_id not in self.all:
            raise Refusal(InvitationReason.CAMPAIGN_NOT_FOR_INVITING)
        return self.all[campaign_id]


class Held(msgspec.Struct, frozen=True):
    """One version of what is set aside."""

    id: Uuid
    person_id: Uuid
    amount: BigInt
    paid: BigInt
    state: Text


HELD = Table("purse", Held)


class Purse:
    """A budget that keeps its promises, durably: what awards do for rewards, without campaigns."""

    def __init__(self, node: NodeRuntime, pay: Any, budget: int) -> None:
        self._shelf = Shelf(HELD, node.journal, node.store)
        self._pay = pay
        self.budget = budget

    @property
    def awards(self) -> list[Held]:
        return self._shelf.everything()

    @property
    def spent(self) -> int:
        return sum(each.amount if each.state == "HELD" else each.paid for each in self.awards)

    async def start(self) -> None:
        await self._shelf.load_all()

    def hold(self, award_id: int, campaign_id: int, person_id: int, amount: int, facts: dict[str, Any], /) -> Held:
        assert campaign_id == CAMPAIGN
        assert facts
        assert amount > 0
        known = self._shelf.get(award_id)
        if known is not None:
            assert (known.person_id, known.amount) == (person_id, amount)
            return known
        if self.spent + amount > self.budget:
            raise Refusal(PurseReason.PURSE_EMPTY)
        held = Held(award_id, person_id, amount, 0, "HELD")
        self._shelf.put(held)
        return held

    def look_up(self, award_id: int, /) -> None:
        self._shelf.get(award_id)

    def pay(self, award_id: int, amount: int, /) -> None:
        held = self._shelf.get(award_id)
        assert held is not None
        assert 0 < amount <= held.amount
        if held.state == "HELD":
            self._shelf.put(msgspec.structs.replace(held, state="PAID", paid=amount))
            self._pay(held.person_id, derive(award_id, "paid"), amount)
        assert (held.state == "HELD") or held.paid == amount

    def refuse(self, award_id: int, _reason: str, /) -> None:
        held = self._shelf.get(award_id)
        assert held is not None
        assert held.state != "PAID"
        if held.state == "HELD":
            self._shelf.put(msgspec.structs.replace(held, state="REFUSED"))


class Folk:
    """People and their devices, and where they work."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.phones: dict[int, list[Device]] = {}
        self.jobs: dict[str, set[int]] = {}

    def user(self, user_id: int, /) -> User:
        return self.users[user_id]

    def came_before(self, user: User, /) -> bool:
        return any(other.phone == user.phone and other.id < user.id for other in self.users.values())

    def devices(self, user_id: int, /) -> Sequence[Device]:
        return self.phones.get(user_id, [])

    def works_for(self, phone: str, /) -> set[int]:
        return self.jobs.get(phone, set())


class Village(Institution):
    """An institution with one campaign that rewards inviting."""

    world: "VillageWorld"

    def wire(self) -> None:
        world = self.world
        self.folk: Folk = world.folk
        self.users = self.neighbours.users = self.folk.users  # type: ignore[assignment]
        self.campaigns = world.campaigns
        self.register = ReferralRegister(self.node)
        self.money = MoneyService(self.payments, self.folk)
        self.purse = Purse(self.node, self._reward, world.budget)
        self.circles = CircleService(self.node, self.register, self.folk, self.folk, self.money)
        self.rewards = RewardService(
            self.node,
            self.register,
            self.folk,
            self.campaigns,
            self.purse,
            self.money,
            self.circles,
            self.neighbours,
        )
        self.invitations = InvitationService(
            self.node, self.register, self.folk, self.campaigns, self.money, self.neighbours, key=b"k" * 32
        )
        self.payments.debtor.on_completed.append(self.rewards.completed)
        self.payments.refunds.on_given_back.append(
            lambda refund: self.rewards.given_back(refund.payer_user_id, refund.payment_id)
        )
        self.payments.returns.on_given_back.append(
            lambda return_: self.rewards.given_back(return_.user_id, return_.payment_id)
        )

    def boot(self) -> None:
        super().boot()
        now(self.purse.start())
        now(self.invitations.start())
        now(self.rewards.start())
        self.journal.seal()

    def tick(self) -> None:
        super().tick()
        self.rewards.tick()

    def _reward(self, person_id: int, transfer_id: int, amount: int) -> None:
        transfer = recipes.top_up(
            transfer_id,
            reserve=self.chart.reserve,
            account=chart.user_account(person_id),
            amount=amount,
            ledger=156,
            code=30,
        )
        self.ledger.create_transfers([transfer], lambda _: None)

    # People.

    def person(
        self,
        invitation: Invitation | None = None,
        *,
        tier: int = 2,
        balance: int = 100_000,
        bank: str = "own",
        address: str = "",
        browser: int = 0,
    ) -> User:
        """Somebody new: with an account at a bank (`bank`: its name, `own`: nobody else's, empty: none), and a phone."""
        self.world.clock.advance(seconds=1)  # Phones of two people are never of one millisecond.
        id_ = self.node.mint.mint()
        user = User(
            id=id_,
            number=len(self.folk.users) + 1,
            phone=f"+86138{len(self.folk.users):08d}",
            name="王小明",
            tier=tier,
            evidence=Evidence.SOURCES_3.value,
            registration_id="r",
            changed_ns=self.world.clock.now_ns(),
        )
        self.folk.users[id_] = user
        device_id = derive(browser, user.phone) if browser else self.node.mint.mint()
        self.folk.phones[id_] = [Device(id=device_id, user_id=id_, name="phone", seed_sealed=b"s", changed_ns=0)]
        if invitation is not None:
            code = invitation.code
            self.does(lambda: self.invitations.look_up(code))
        self.ledger.create_accounts([chart.wallet(id_)], lambda _: None)
        if invitation is not None:
            self.does(lambda: self.invitations.registered(user, invitation.code, address))
        if balance:
            self.pay_in(user.wallet_account, balance)
        if bank:
            self.link(user, bank if bank != "own" else f"{id_:032x}")
        self.journal.seal()
        self.world.flush()
        return user

    def link(self, user: User, account: str) -> None:
        """The person links an account at a bank."""
        mandate = f"mandate:yun:{derive(1 << 90, account):032x}"
        link = self.payments.bank_link.link
        bank_account_id = self.node.mint.mint()
        self.does(lambda: link(user.id, bank_account_id, name="yun", mandate=mandate, code=""))

    def does(self, decide: Any) -> Any:
        """One decision, with what it needs loaded; durable where the world is."""
        answer = now(warmed(self.journal, decide))
        self.journal.seal()
        return answer

    def invite(self, inviter: User) -> Invitation:
        invitation: Invitation = self.does(lambda: self.invitations.invite(inviter.id, CAMPAIGN))
        return invitation

    def shop(self, *staff: User) -> Asks:
        """A merchant's plate; `staff` work there."""
        merchant_id = self.merchant()
        for user in staff:
            self.folk.jobs.setdefault(user.phone, set()).add(merchant_id)
        return self.asks(merchant_id)

    def pays(self, payer: User, to: Asks | User, amount: int = 1_000) -> Payment:
        """A payment that completes."""
        asks = self.asks(user=to) if isinstance(to, User) else to  # type: ignore[arg-type]
        quote = self.quote(payer, f"{self.node_id}:{asks.id}", amount)  # type: ignore[arg-type]
        answers = self.pay(payer, self.order(quote, amount))  # type: ignore[arg-type]
        self.world.flush()
        payment, outcome = answers[-1]
        assert outcome is not None
        assert outcome.completed, (PaymentState, outcome.reason)
        return payment

    def refund(self, payment: Payment, amount: int = 0) -> None:
        """The merchant gives it back."""
        order = RefundOrder(
            refund_id=self.node.mint.mint(), payment_id=payment.id, amount=amount or payment.gross, remark="r"
        )
        self.does(lambda: self.payments.refunds.refund(payment.merchant_id, order))
        self.world.flush()

    def of(self, friend: User) -> Referral:
        """The friend's referral as it is."""
        found: Referral | None = self.does(lambda: self.register.referrals.get(referral_id(friend.id)))
        assert found is not None
        return found

    def rewarded(self, inviter: User) -> int:
        """What the inviter was paid."""
        return sum(each.paid for each in self.purse.awards if each.person_id == inviter.id)


class VillageWorld(World):
    """One village."""

    institution = Village

    def __init__(self, *, immediate: bool = True, budget: int = 1_000_000, seed: int = 0, **terms: Any) -> None:
        self.folk, self.campaigns, self.budget = Folk(), Campaigns(), budget
        self.campaigns.all[CAMPAIGN].inviting = terms
        super().__init__("jing", immediate=immediate, seed=seed)

    @property
    def jing(self) -> Village:
        place = self.places["jing"]
        assert isinstance(place, Village)
        return place

    def wait(self, seconds: int = HOLD_S + 1) -> None:
        """Time passes; what is due is done."""
        self.tick(seconds)
        self.flush()

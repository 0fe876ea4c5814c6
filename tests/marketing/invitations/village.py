"""People who invite each other: payments, campaigns and rewards are real; people, their phones and jobs are told."""

from collections.abc import Sequence
from typing import Any

from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment, PaymentState, Why
from hutong.institution.payments.refund import RefundOrder
from hutong.institution.people.device import Device
from hutong.institution.people.user import Evidence, User
from hutong.kernel.ids import derive
from hutong.ledger import packet_recipes
from hutong.marketing.campaigns.award import AWARDS, Award, AwardKind, AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.marketing.invitations.invitation import Invitation
from hutong.marketing.invitations.inviting_service import Invitations
from hutong.marketing.invitations.referral import Referral, referral_id
from hutong.runtime.shelf import warmed
from hutong.runtime.tables import Table
from tests.institution.payments.neighbours import Asks
from tests.institution.payments.world import World, now
from tests.marketing.campaigns.fair import ANY, House

DAY_S = 86_400
HOLD_S = 72 * 3600


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


class Village(House):
    """An institution with one campaign that rewards inviting."""

    world: "VillageWorld"

    def wire(self) -> None:
        self.folk: Folk = self.world.folk
        self.users = self.neighbours.users = self.folk.users  # type: ignore[assignment]
        super().wire()
        self.inviting = Invitations(
            self.payments,
            self.marketing.campaigns,
            self.marketing.awards,
            self.folk,
            self.folk,
            self.folk,
            self.neighbours,
            key=b"k" * 32,
        )
        self.register, self.rewards = self.inviting.register, self.inviting.rewards
        self.invitations = self.inviting.invitations
        now(self.inviting.start())

    def boot(self) -> None:
        super().boot()
        now(self.inviting.resume())

    def tick(self) -> None:
        super().tick()
        self.inviting.tick()

    # Money.

    @property
    def spent(self) -> int:
        """What the campaign has given, or set aside."""
        return self.marketing.campaigns.spent[self.world.campaign_id].total

    @property
    def awards_held(self) -> int:
        """What is set aside now."""
        return sum(each.left for each in self.rewards_given() if each.state == AwardState.RESERVED)

    def rewards_given(self) -> list[Award]:
        """As the disk has them."""
        return [each for each in self.kept(AWARDS) if each.kind == AwardKind.REWARD]

    def kept(self, table: Table[Any]) -> list[Any]:
        """The newest durable version of each row of a table."""
        return list({row.id: row for _, row in self.store.rows[table.name]}.values())

    def rewarded(self, inviter: User) -> int:
        """What the inviter was paid."""
        paid = [each for each in self.rewards_given() if each.state == AwardState.COMMITTED]
        return sum(each.left for each in paid if each.person_id == inviter.id)

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

    def link(self, user: User, account: str, *, known: bool = True) -> None:
        """The person links an account at a bank under a mandate of its own, and the bank says which account it is, if it knows it."""
        bank_account_id = self.node.mint.mint()
        mandate = f"mandate:yun:{derive(bank_account_id, 'mandate'):032x}"
        links = self.payments.bank_link
        linked = self.does(lambda: links.link(user.id, bank_account_id, name="yun", mandate=mandate, code=""))
        if known:
            self.does(lambda: links.named(linked.id, derive(1 << 90, account)))

    def does(self, decide: Any) -> Any:
        """One decision, with what it needs loaded; durable where the world is."""
        answer = now(warmed(self.journal, decide))
        self.journal.seal()
        return answer

    def invite(self, inviter: User) -> Invitation:
        invitation: Invitation = self.does(lambda: self.invitations.invite(inviter.id, self.world.campaign_id))
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
        answers = self.orders(payer, asks, amount)
        self.world.flush()
        payment, outcome = answers[-1]
        assert outcome is not None
        assert outcome.completed, (PaymentState, outcome.reason)
        return payment

    def packet(self, sender: User, claimant: User, amount: int) -> None:
        """A red packet that one fills and the other opens, as the ledger sees it."""
        packet_id = self.node.mint.mint()
        red_packet = chart.red_packet_account(packet_id)
        self.ledger.create_accounts([chart.red_packet(packet_id)], lambda _: None)
        legs = [
            packet_recipes.fill(
                self.node.mint.mint(),
                packet_id,
                wallet=sender.wallet_account,
                packet=red_packet,
                amount=amount,
                ledger=156,
                code=Why.RED_PACKET_FILLED,
            ),
            packet_recipes.claim(
                self.node.mint.mint(),
                packet_id,
                packet=red_packet,
                wallet=claimant.wallet_account,
                amount=amount,
                ledger=156,
                code=Why.RED_PACKET_CLAIMED,
            ),
        ]
        for leg in legs:
            self.ledger.create_transfers([leg], lambda _: None)
        self.journal.seal()

    def orders(self, payer: User, asks: Asks, amount: int) -> list[tuple[Payment, Outcome | None]]:
        """A payment as its payer gives it."""
        terms = self.terms(f"{self.node_id}:{asks.id}")
        quote = now(warmed(self.journal, lambda: self.payments.consults.quote(payer, terms, amount)))
        return self.pay(payer, self.order(quote, amount))  # type: ignore[arg-type]

    def gives_back(self, payment: Payment, amount: int = 0) -> None:
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


class VillageWorld(World):
    """One village. Its campaign has begun; `terms` are what it says of inviting."""

    institution = Village

    def __init__(
        self,
        *,
        immediate: bool = True,
        budget: int = 1_000_000,
        seed: int = 0,
        caps: Caps = ANY,
        holdout_bps: int = 0,
        **terms: Any,
    ) -> None:
        self.folk = Folk()
        super().__init__("jing", immediate=immediate, seed=seed)
        sponsor = self.jing.sponsor(budget)
        campaign = self.jing.campaign(
            sponsor, budget, kind=CampaignKind.INVITE, caps=caps, more=terms, days=300, holdout_bps=holdout_bps
        )
        self.campaign_id = campaign.id
        for _ in range(4):
            self.flush()

    @property
    def jing(self) -> Village:
        place = self.places["jing"]
        assert isinstance(place, Village)
        return place

    def wait(self, seconds: int = HOLD_S + 1) -> None:
        """Time passes; what is due is done."""
        self.tick(seconds)
        self.flush()

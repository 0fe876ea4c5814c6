"""
Safety of what marketing gives, at every commit: budgets, awards, coupons, red packets, rewards.

As `audit`, it believes no node: durable rows are folded here. What one row must say is checked when it is kept; what several
rows of one decision must say together, when their commit is whole.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from hutong.institution import chart
from hutong.institution.payments.payment import Why, claimant
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.money import Currency
from hutong.marketing.campaigns.award import AwardKind, AwardState
from hutong.marketing.invitations.referral import ReferralState
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState
from hutong.simulation.audit import CHINA_NS, Audit, Counted, NodeView
from hutong.simulation.cash_audit import CashAudit
from hutong.simulation.coupon_audit import CouponAudit
from hutong.simulation.given import Given
from hutong.simulation.place_audit import PlaceAudit

_NEXT = {  # What may become of it; None: how it begins.
    # What is decided at once is written once.
    "all_awards": {
        None: "RESERVED COMMITTED",
        "RESERVED": "COMMITTED RELEASED",
        "COMMITTED": "COMMITTED",
        "RELEASED": "",
    },
    "coupons": {
        None: "AVAILABLE",
        "AVAILABLE": "AVAILABLE RESERVED REDEEMED",
        "RESERVED": "REDEEMED AVAILABLE",
        "REDEEMED": "AVAILABLE",
    },
    "coupon_till_codes": {
        None: "LOADED SENT",
        "LOADED": "SENT DELETED",
        "SENT": "SENT TAKEN VOIDED",
        "TAKEN": "SENT",
        "DELETED": "",
        "VOIDED": "",
    },
    "red_packets": {
        None: "OPENING",
        "OPENING": "OPEN FAILED",
        "OPEN": "OPEN EMPTY EXPIRED",
        "EMPTY": "EMPTY",
        "EXPIRED": "EXPIRED",
        "FAILED": "",
    },
    "red_packet_claims": {
        None: "MOVING PAID SENDING",
        "MOVING": "MOVING PAID",
        "SENDING": "SENDING PAID GIVEN_UP",
        "PAID": "PAID",
        "GIVEN_UP": "",
    },
    "referrals": {
        None: "JOINED",
        "JOINED": "HELD WAITING",
        "WAITING": "WAITING HELD REFUSED",
        "HELD": "HELD PAID REFUSED",
        "PAID": "",
        "REFUSED": "APPEALED",
        "APPEALED": "PAID REFUSED",
    },
}
_PACKET_MOVES = (Why.RED_PACKET_FILLED, Why.RED_PACKET_CLAIMED, Why.RED_PACKET_RETURNED)


class MarketingAudit:
    """Listens to what `audit` hears of, and says there what is wrong."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self.given: dict[str, Given] = {}
        self.coupons = CouponAudit(self._say, self._moved_on, self.of)
        self.cash = CashAudit(self._say, self.of)
        self.places = PlaceAudit(self._say)
        checks: dict[str, Callable[[Given, Any], None]] = {
            "campaigns": self._campaign,
            "enrolments": self._enrolment,
            "all_awards": self._award,
            "coupon_claims": self.coupons.claim,
            "coupons": self.coupons.coupon,
            "coupon_till_codes": self.coupons.till_code,
            "cash_prizes": self.cash.prize,
            "red_packets": self._packet,
            "red_packet_claims": self._share,
            "referrals": self._referral,
            "transfer": self._transfer,
            "payments": self._payment,
            "payment_outcomes": self._payment_outcome,
            "receipts": self._receipt,
            "receipt_outcomes": self._receipt_outcome,
            "refund_outcomes": self._refunded,
            "return_outcomes": self._returned,
        }
        for table, check in checks.items():
            audit.watch(table, self._watching(check))
        self._whole: dict[str, Callable[[Given, int], None]] = {
            "award": self._check_award,
            "place": self.places.check,
            "programme": self._check_programme,
            "payment": self._check_payment,
            "coupon": self.coupons.check,
            "prize": self.cash.check,
            "packet": self._check_packet,
            "referral": self._check_referral,
        }

    def _watching(self, check: Callable[[Given, Any], None]) -> Callable[[NodeView, Any], None]:
        return lambda view, row: check(self.of(view), row)

    def of(self, view: NodeView) -> Given:
        """What a node gave."""
        found = self.given.get(view.node_id)
        if found is None:
            found = self.given[view.node_id] = Given(view)
        return found

    def committed(self, node_id: str) -> None:
        """All rows of a commit are there: what they must say together."""
        given = self.given.get(node_id)
        if given is not None and given.touched:
            touched, given.touched = given.touched, {}
            for what, id_ in touched:
                self._whole[what](given, id_)

    def _say(self, given: Given, said: str) -> None:
        self._audit.say(f"{given.view.node_id}: {said}")

    def _moved_on(self, given: Given, table: str, row: Any) -> Any:
        """The version before, whose state this one's may follow."""
        before = given.view.rows[table].get(row.id)
        if row.state not in _NEXT[table][before.state if before is not None else None].split():
            was = before.state if before is not None else "nothing"
            self._say(given, f"{table}: {row.id:032x} was {was}, and is {row.state}")
        return before

    # Campaigns and awards.

    def _campaign(self, given: Given, row: Any) -> None:
        self.places.campaign(row)
        caps = given.caps.setdefault(row.id, {})
        for level, most in msgspec.structs.asdict(row.told.caps).items():
            if level != "place_is":
                known = caps.get(level, most)
                caps[level] = max(known, most) if known and most else 0

    def _enrolment(self, given: Given, row: Any) -> None:
        if not given.members.change(row):
            self._say(given, f"merchant {row.merchant_id:032x} is written down as joined={row.joined}, as it was")

    def _award(self, given: Given, row: Any) -> None:
        before = self._moved_on(given, "all_awards", row)
        given.changes[row.id] += row.change
        if given.changes[row.id] != row.left:
            self._say(given, f"award {row.id:032x} gives {row.left}, and took {given.changes[row.id]} of its budget")
        if before is None:
            given.of_payment[row.payment_id].add(row.id)
            if given.view.rows["campaigns"][row.campaign_id].told.by_joining:
                given.members.awarded(row)
                given.touched["programme", row.id] = None
            if row.source == "coupon":
                given.of_coupon[row.source_id].add(row.id)
        elif (row.campaign_id, row.person_id, row.payment_id, row.amount) != (
            before.campaign_id,
            before.person_id,
            before.payment_id,
            before.amount,
        ):
            self._say(given, f"award {row.id:032x} is about something else now")
        self._count(given, row)
        if row.source == "draw":
            self._turn(given, row, before)
        given.touched["award", row.id] = None
        if row.payment_id:
            given.touched["place", row.id] = None
            given.touched["payment", row.payment_id] = None
        if row.source == "coupon":
            given.touched["coupon", row.source_id] = None

    def _count(self, given: Given, row: Any) -> None:
        """No budget at any level is a fen over, at any moment (invariant 7)."""
        campaign = given.view.rows["campaigns"][row.campaign_id]
        levels: list[tuple[str, Any, int]] = [
            ("campaign", 0, row.change),
            ("day", row.day, row.change),
            ("person", row.person_id, row.change),
            ("person_day", (row.person_id, row.day), row.change),
            ("times", row.person_id, row.times),
            ("times_day", (row.person_id, row.day), row.times),
        ]
        if row.place:
            levels.append(("place", (row.place, row.day), row.change))
        for level, what, change in levels:
            key = row.campaign_id, level, what
            given.totals[key] += change
            most = campaign.funded if level == "campaign" else given.caps[row.campaign_id][level]
            if given.totals[key] > most and (most or level == "campaign"):
                self._say(given, f"campaign {row.campaign_id:032x} gave {given.totals[key]} of {most} by {level}")

    def _turn(self, given: Given, row: Any, before: Any) -> None:
        """A person's turn of a day is drawn once."""
        facts = row.told
        turn = row.campaign_id, row.person_id, facts["day"], facts["turn"]
        if before is None and turn in given.turns:
            self._say(given, f"award {row.id:032x}: the turn {facts['turn']} of {facts['reference']} was taken")
        elif before is None:
            given.turns.add(turn)
        elif row.state == AwardState.RELEASED:
            given.turns.discard(turn)

    def _check_award(self, given: Given, id_: int) -> None:
        award = given.view.rows["all_awards"][id_]
        if award.kind == AwardKind.REWARD:
            rewarded = given.view.books.moved.get((Why.REWARDED, id_), 0)
            if rewarded > (award.left if award.state == AwardState.COMMITTED else 0):
                self._say(given, f"reward {id_:032x} of {award.left} is {award.state}, and {rewarded} was paid")

    def _check_programme(self, given: Given, id_: int) -> None:
        """A programme gives for payments to those who had joined it, and to nobody else."""
        paid, _, _ = given.paid(given.view.rows["all_awards"][id_].payment_id)
        if paid is None or paid.merchant_id not in given.members.were(id_):
            self._say(given, f"award {id_:032x} of a programme is for a merchant that does not take part")

    # Payments: each discount is what its awards say, and each award is somebody's payment (invariant 3).

    def _payment(self, given: Given, row: Any) -> None:
        if row.adjuster:
            given.touched["payment", row.id] = None
        if row.sponsor:
            self._sponsored(given, claimant(row.creditor_agent, row.id), "payment_outcomes", row)

    def _receipt(self, given: Given, row: Any) -> None:
        if row.sponsor:
            self._sponsored(given, claimant(row.debtor_agent, row.id), "receipt_outcomes", row)

    def _sponsored(self, given: Given, id_: int, outcomes: str, row: Any) -> None:
        given.sponsors[id_] = outcomes, row
        given.touched["payment", id_] = None

    def _payment_outcome(self, given: Given, row: Any) -> None:
        self._payment(given, given.view.rows["payments"][row.id])

    def _receipt_outcome(self, given: Given, row: Any) -> None:
        receipt = given.view.rows["receipts"].get(row.id)  # An offer that is refused at once leaves none.
        if receipt is not None:
            self._receipt(given, receipt)

    def _refunded(self, given: Given, row: Any) -> None:
        if not row.completed:
            return
        refund = given.view.rows["refunds"][row.id]
        paid = given.view.rows["payments" if refund.on_us else "receipts"][refund.payment_id]
        self._came_back(given, paid, refund.shares, getattr(paid, "debtor_agent", given.view.node_id))

    def _returned(self, given: Given, row: Any) -> None:
        if row.completed:
            return_ = given.view.rows["returns"][row.id]
            paid = given.view.rows["payments"][return_.payment_id]
            self._came_back(given, paid, msgspec.structs.replace(return_.shares, payee_discount=0), "")

    def _came_back(self, given: Given, paid: Any, shares: Any, agent: str) -> None:
        if getattr(paid, "adjuster", ""):
            given.back[paid.id] += shares.payer_discount
            given.touched["payment", paid.id] = None
        if paid.sponsor and agent:
            id_ = claimant(agent, paid.id)
            given.back[id_] += shares.payee_discount
            given.touched["payment", id_] = None
        for referrals in given.brought.values():
            for each in referrals:
                if given.view.rows["referrals"][each].payment_id == paid.id:
                    given.touched["referral", each] = None

    def _check_payment(self, given: Given, id_: int) -> None:
        """What awards give a payment is its discount; they stand as it does; what refunds brought back of it, they say."""
        view = given.view
        awards = [view.rows["all_awards"][each] for each in sorted(given.of_payment.get(id_, ()))]
        paid, discount, completed = given.paid(id_)
        if paid is None and awards:
            self._say(given, f"awards for {id_:032x}, which is no payment")
        if paid is None:
            return
        if any(each.paid_id != paid.id for each in awards):
            self._say(given, f"awards of payment {paid.id:032x} lead to another")
        amount, back = sum(each.amount for each in awards), sum(each.returned for each in awards)
        wanted = {None: AwardState.RESERVED, True: AwardState.COMMITTED, False: AwardState.RELEASED}[completed]
        states = {given.standing(each) for each in awards}
        if amount != discount or states - {wanted.value} or (discount and not awards):
            self._say(given, f"payment {id_:032x} with {discount} off is {wanted}; its awards: {amount}, {states}")
        if back != given.back.get(id_, 0):
            self._say(given, f"of payment {id_:032x} {given.back.get(id_, 0)} came back; its awards say {back}")

    # Red packets.

    def _packet(self, given: Given, row: Any) -> None:
        view = given.view
        before = self._moved_on(given, "red_packets", row)
        day = (row.created_ns + CHINA_NS) // NS_PER_DAY
        taken = row.amount if before is None else 0
        taken -= row.returned - (before.returned if before is not None else 0)
        limits = Counted(row.sender_id, day, row.counter, row.counted)
        self._audit.spend(view, limits, taken)
        if before is None:
            self._audit.check_limits(view, limits, f"red packet {row.id:032x}")
        elif row.returned < before.returned or row.amount != before.amount or row.seed != before.seed:
            self._say(given, f"red packet {row.id:032x} is another now")
        given.touched["packet", row.id] = None

    def _share(self, given: Given, row: Any) -> None:
        """Each claimant gets one of the shares that were fixed when the packet was made, each at least a fen."""
        before = self._moved_on(given, "red_packet_claims", row)
        given.touched["packet", row.packet_id] = None
        if before is not None:
            return
        packet = given.view.rows["red_packets"][row.packet_id]
        shares = given.shares[packet.id]
        if row.claimant_key in given.claimants:
            self._say(given, f"red packet {packet.id:032x}: somebody has two shares")
        given.claimants.add(row.claimant_key)
        if row.number != len(shares) or row.number >= packet.count or row.amount != packet.shares()[row.number]:
            self._say(given, f"red packet {packet.id:032x}: share {row.number} of {row.amount} is not the next")
        if row.amount < 1 or row.created_ns >= packet.expires_ns or packet.to_user_id not in (None, row.user_id):
            self._say(given, f"red packet {packet.id:032x}: share {row.number} is nobody's to claim")
        shares.append(row.id)

    def _transfer(self, given: Given, row: Any) -> None:
        if row.code in _PACKET_MOVES:
            given.moved[row.code, row.user_data_128] += row.amount
            given.touched["packet", row.user_data_128] = None
        elif row.code == Why.SPONSORED:
            budget = chart.budget_account(row.user_data_128)
            given.sponsored[row.user_data_128] += row.amount if row.credit_account_id == budget else -row.amount
        elif row.code == Why.REWARDED:
            given.touched["award", row.user_data_128] = None

    def _check_packet(self, given: Given, id_: int) -> None:
        """Its account holds what has reached nobody; the shares add up to it."""
        view = given.view
        packet = view.rows["red_packets"].get(id_)
        claims = [view.rows["red_packet_claims"][each] for each in given.shares.get(id_, ())]
        came, claimed, returned = (given.moved.get((code, id_), 0) for code in _PACKET_MOVES)
        if packet is None:
            self._say(given, f"money of a red packet {id_:032x} that is none")
            return
        filled = packet.state in {PacketState.OPEN, PacketState.EMPTY, PacketState.EXPIRED}
        paid_here = sum(each.amount for each in claims if each.user_id and each.state == ClaimState.PAID)
        if came > packet.amount or (filled and came != packet.amount):
            self._say(given, f"red packet {id_:032x} of {packet.amount} is {packet.state}, and {came} came")
        if claimed != paid_here or (filled and returned != packet.returned):
            self._say(given, f"red packet {id_:032x}: moved {claimed}, {returned}; rows {paid_here}, {packet.returned}")
        total = sum(each.amount for each in claims)
        if total > packet.amount or (len(claims) == packet.count) != (total == packet.amount):
            self._say(given, f"red packet {id_:032x}: {len(claims)} shares of {packet.count} are {total}")
        if (packet.state == PacketState.EMPTY) != (len(claims) == packet.count):
            self._say(given, f"red packet {id_:032x} is {packet.state} with {len(claims)} of {packet.count} claimed")
        if filled:
            self._check_inside(given, packet, claims)

    def _check_inside(self, given: Given, packet: Any, claims: list[Any]) -> None:
        gone = packet.returned + sum(each.amount - each.returned for each in claims if each.state == ClaimState.PAID)
        sending = sum(each.amount for each in claims if each.state == ClaimState.SENDING)
        account = given.view.books.accounts[packet.account(Currency.CNY)]
        inside = account.credit - account.debits_pending
        if not packet.amount - gone - sending <= inside <= packet.amount - gone:
            self._say(given, f"red packet {packet.id:032x} has {inside}, of {packet.amount} less {gone} and {sending}")

    # Invitations.

    def _referral(self, given: Given, row: Any) -> None:
        self._moved_on(given, "referrals", row)
        before = given.inviters.setdefault(row.friend_id, (row.inviter_id, row.campaign_id))
        if before != (row.inviter_id, row.campaign_id) or row.friend_id == row.inviter_id:
            self._say(given, f"friend {row.friend_id:032x} has another inviter, or is one")
        given.brought[row.inviter_id, row.campaign_id].add(row.id)
        given.touched["referral", row.id] = None
        if row.state == ReferralState.PAID and not row.appealed_ns:
            self._check_earned(given, row)

    def _check_earned(self, given: Given, row: Any) -> None:
        """The friend's payment was made, and enough of it was not given back."""
        view = given.view
        payment = view.rows["payments"].get(row.payment_id)
        if payment is None or not view.outcomes["payment_outcomes"].get(payment.id):
            self._say(given, f"referral {row.id:032x} is paid for, and its payment was not made")
            return
        side = "refunds" if payment.payee_account else "returns"
        shares = view.given.get((side, payment.id))
        left = payment.paid if shares is None else payment.shares.less(shares).paid
        if left < row.told.amount_min:
            self._say(given, f"referral {row.id:032x} is paid for, and {left} of its payment are left")

    def _check_referral(self, given: Given, id_: int) -> None:
        """What is held and paid for a friend is what was awarded; what an inviter got is what the steps say."""
        rows = given.view.rows
        row = rows["referrals"][id_]
        awards = [rows["all_awards"].get(each) for each in (row.award_id, row.further_award_id)]
        held = sum(each.amount for each in awards if each is not None and each.state == AwardState.RESERVED)
        paid = sum(each.left for each in awards if each is not None and each.state == AwardState.COMMITTED)
        if held != (row.held if row.state == ReferralState.HELD else 0):
            self._say(given, f"referral {id_:032x} is {row.state} with {row.held} held; awarded is {held}")
        if paid != (row.reward if row.state == ReferralState.PAID else 0):
            self._say(given, f"referral {id_:032x} is {row.state} for {row.reward}; awarded is {paid}")
        mine = [rows["referrals"][each] for each in given.brought[row.inviter_id, row.campaign_id]]
        done = [each for each in mine if each.state == ReferralState.PAID]
        got = sum(each.reward for each in done)
        if got > min(row.told.total(len(done)), row.told.person_max):
            self._say(given, f"inviter {row.inviter_id:032x} got {got} for {len(done)} friends")

    # What a client is told is so, durably (invariant 4).

    def told_coupon(self, node_id: str, coupon: Any) -> None:
        """Somebody was told that a coupon is theirs."""
        if coupon.id not in self._audit.nodes[node_id].rows["coupon_claims"]:
            self._audit.say(f"{node_id}: somebody was told of coupon {coupon.id:032x}, which is not durable")

    def told_packet(self, node_id: str, packet: Any) -> None:
        """A sender was told what became of a packet."""
        known = self._audit.nodes[node_id].rows["red_packets"].get(packet.id)
        if known is None or known.state == PacketState.OPENING:
            self._audit.say(f"{node_id}: somebody was told of red packet {packet.id:032x}, which is not durable")

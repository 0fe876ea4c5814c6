"""
The samples' life, lived through the nodes' own APIs before the network is shown: nothing in it is written by hand.
What they do with campaigns is in `sample_marketing`, and the many small payments of regulars in `sample_visits`.

A network that has no past yet begins a week ago, on a clock that is put forward from deed to deed and ends as the
machine's own; so days, windows, settlements and proofs are what they would be. Any other lives all of it today. People and
shops are made once, however often this was cut off; only what they paid before that they may pay once more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

from hutong.app.node_client import NodeClient
from hutong.app.sample_marketing import Happening, SampleMarketing, invitation_of
from hutong.app.sample_means import Means, done_before
from hutong.app.sample_offers import DAILY
from hutong.app.samples import (
    BANK,
    HISTORY,
    LAST,
    NEWLY_COME,
    PEOPLE,
    SHOWN,
    STALLS,
    ZHOU,
    Deed,
    Hand,
    Resident,
    Stall,
)
from hutong.app.sandbox import NodeSandbox
from hutong.app.up import RunningNetwork
from hutong.app.wallet import Phone, Wallet, decided
from hutong.institution.merchants.staff_key import Role
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.database import Database
from hutong.runtime.shelf import warmed
from hutong.switch.settlement.window import WindowState

DAYS = 6
_PLACE = {"city": "北京", "latin_city": "Beijing"}
_FINAL = {WindowState.SETTLED.value, WindowState.HALTED.value}
_WAIT_S = 10
_PAUSE_S = 0.02
_MANDATE_DAILY_MINOR = 500_000


async def has_no_past(database: Database) -> bool:
    """Whether a node never lived in this schema. Raises and refuses as `Database.connect`."""
    connection = await database.connect()
    try:
        return await connection.fetchval("SELECT to_regnamespace($1) IS NULL", database.schema) is True
    finally:
        await connection.close()


def take_samples(network: RunningNetwork) -> bool:
    """Whether this network has the nodes that the samples live at."""
    return {each.node for each in (*PEOPLE, *STALLS)} <= set(network.nodes)


async def were_made(network: RunningNetwork) -> bool:
    """Whether all was lived through: the last of the samples is there."""
    institution = network[LAST.node].site.node
    try:
        await warmed(institution.node.journal, lambda: institution.people.user_on(LAST.phone))
    except Refusal:
        return False
    return True


def show_samples(network: RunningNetwork) -> None:
    """Let pages offer them."""
    for resident in SHOWN:
        _sandbox(network, resident.node).sample_people.append(resident.shown())
    for stall in STALLS:
        _sandbox(network, stall.node).sample_staff.extend(stall.shown())


def _sandbox(network: RunningNetwork, node: str) -> NodeSandbox:
    found = network[node].site.sandbox
    assert isinstance(found, NodeSandbox), "samples are for networks for trying out"
    return found


@dataclass(slots=True)
class Neighbourhood(Means):
    """Everybody in the samples, and what each does, through the APIs."""

    errands: list[asyncio.Task[Any]] = field(default_factory=list)  # PINs take long, and nobody waits for them.

    async def live(self, told: Callable[[str], None]) -> bool:
        """
        Everything, in order; `told` hears what comes now. Ends at the machine's own time, and answers True.

        Once `leaving` is set, it ends between two steps, to be gone on with by the next start; then it answers False.
        """
        try:
            for coming, step in self._steps():
                if self.leaving.is_set():
                    return False
                told(coming)
                await step()
        finally:
            if not self.leaving.is_set():  # What came due meanwhile is not begun by a network that goes down.
                self.clock.put_right()
            await asyncio.gather(*self.errands, return_exceptions=True)
            for client in self.clients:
                await client.close()
        return True

    def _steps(self) -> Iterator[tuple[str, Callable[[], Awaitable[Any]]]]:
        marketing = SampleMarketing(self)
        for stall in STALLS:
            yield f"{stall.latin_name} opens", partial(self._open, stall)
        yield "Campaigns begin", marketing.begin
        for invited in (False, True):  # Who is invited comes by the link of somebody who is there.
            coming_in = [each for each in PEOPLE if (each.invited_by is not None) is invited]
            yield "People register", partial(self._settle_all_in, coming_in)
        happenings = sorted([*self._deeds(), *marketing.happenings()], key=attrgetter("at_ns"))
        for number, happening in enumerate(happenings):
            coming = f"Their last week: {number + 1} of {len(happenings)}"
            yield coming, partial(self._until, happening.at_ns)
            yield coming, happening.happen
        yield "PINs are sealed", lambda: asyncio.gather(*self.errands)
        yield "PINs are sealed", partial(self._until, self.clock.of(0, "23:59"))
        yield "The last one comes", partial(self._come, LAST)

    def _deeds(self) -> Iterator[Happening]:
        for deed in HISTORY:
            yield Happening(self.clock.of(deed.days_ago, deed.clock), partial(self._do, deed))
        came_ns = self.clock.of(*NEWLY_COME)
        yield Happening(came_ns, partial(self._settle_in, ZHOU))

    # Coming in

    async def _come(self, resident: Resident) -> Wallet:
        """Register; somebody who was there before signs in again."""
        door = self.client(resident.node)
        device = self.id_of("dev", f"{resident.key}/device")
        await door.post("/v1/users/codes", {"phone": resident.phone})
        code = _sandbox(self.network, resident.node).one_time_code(resident.phone)
        sent = {"phone": resident.phone, "code": code, "device_id": device, "device_name": f"{resident.name}的手机"}
        registered = {**sent, "name": resident.name, "registration_id": device}
        if resident.invited_by is not None:
            registered["invitation"] = await invitation_of(self.wallets[resident.invited_by.key])
        signed = await door.post("/v1/users", registered)
        wallet = Wallet(self.client(resident.node, signed["token"]), Phone(device_id=device), self.mint)
        if resident.tier:
            tier = {"tier": resident.tier, "evidence": "FACE_TO_FACE", "name": resident.name}
            path = f"/v1/operator/users/{signed['user']['id']}/tier"
            await done_before("TIER_NOT_RAISED", self.operator(resident.node).post(path, tier))
        if resident.pin:
            setting = wallet.client.put("/v1/pin", {"pin": resident.pin})
            self.errands.append(asyncio.create_task(done_before("PIN_ALREADY_SET", setting)))
        return wallet

    async def _settle_all_in(self, residents: Sequence[Resident]) -> None:
        await asyncio.gather(*(self._settle_in(resident) for resident in residents))

    async def _settle_in(self, resident: Resident) -> None:
        """A wallet, an account at the bank with money in it, a mandate from the one to the other, and a first top-up."""
        wallet = await self._come(resident)
        self.wallets[resident.key] = wallet
        at_bank = resident.at_bank()
        banking = await self._come(at_bank)
        user = (await banking.client.get("/v1/users/me"))["id"]
        paid_in = {"pay_in_id": self.id_of("pin", resident.key), "user_id": user, "amount": resident.bank_minor}
        await self.operator(BANK).post("/v1/operator/pay-ins", paid_in)
        linked = await wallet.client.get("/v1/bank-accounts")
        account = linked[0]["bank_account_id"] if linked else await self._link(resident, wallet, banking)
        if await wallet.balance() < resident.top_up_minor:
            await wallet.top_up(account, resident.top_up_minor)
        own = {"id": self.id_of("pco", resident.key), "amount": 0, "remark": ""}
        self.plates[resident.key] = (await wallet.client.post("/v1/personal-codes", own))["text"]
        await wallet.fetch_payment_code_keys()

    async def _link(self, resident: Resident, wallet: Wallet, banking: Wallet) -> str:
        daily = {"grantee": resident.node, "daily_max": _MANDATE_DAILY_MINOR, "name": f"{resident.name}的钱包"}
        mandate = (await banking.client.post("/v1/mandates", daily))["text"]
        code_id = self.id_of("pco", f"{resident.key}/bank")
        code = (await banking.client.post("/v1/personal-codes", {"id": code_id, "amount": 0, "remark": ""}))["text"]
        return str((await wallet.link_bank("云行储蓄卡", mandate, code))["bank_account_id"])

    async def _open(self, stall: Stall) -> None:
        """Taken on, with a shop, a plate on its counter, and a key for its till."""
        operator = self.operator(stall.node)
        merchant = await operator.post(
            "/v1/operator/merchants",
            {
                "reference": f"sample-{stall.latin_name}",
                "legal_name": f"北京{stall.name}有限公司",
                "name": stall.name,
                "latin_name": stall.latin_name,
                **_PLACE,
                "mcc": stall.mcc,
                "fee_bps": stall.fee_bps,
            },
        )
        key = await operator.post(f"/v1/operator/merchants/{merchant['merchant_id']}/keys", {"name": "samples"})
        till = self.tills[stall.key] = self.client(stall.node, key["token"])
        shop = await till.post("/v1/shops", {"reference": "first", "name": stall.shop, **_PLACE})
        self.merchants[stall.key] = merchant["merchant_id"]
        self.shops[stall.key] = shop["shop_id"]
        plate = await till.post("/v1/plates", {"reference": "counter", "shop_id": shop["shop_id"]})
        self.plates[stall.key] = plate["text"]
        working = {member["phone"] for member in await till.get("/v1/staff") if member["state"] == "ACTIVE"}
        for hand in stall.staff:
            if hand.phone not in working:
                await self._appoint(stall, hand, operator, till, merchant["merchant_id"])

    async def _appoint(
        self, stall: Stall, hand: Hand, operator: NodeClient, till: NodeClient, merchant_id: str
    ) -> None:
        """Invited, as an owner by the institution; then the code that came to the telephone chooses a PIN."""
        invited = {"staff_id": hand.phone, "name": hand.name, "phone": hand.phone}
        if hand.role == Role.OWNER:
            await operator.post(f"/v1/operator/merchants/{merchant_id}/staff", invited)
        else:
            await till.post("/v1/staff", invited | {"role": hand.role})
        taken = {
            "phone": hand.phone,
            "code": _sandbox(self.network, stall.node).one_time_code(hand.phone),
            "pin": hand.pin,
            "device_id": self.id_of("dev", f"{stall.key}/{hand.phone}"),
        }
        self.errands.append(asyncio.create_task(self.client(stall.node).post("/v1/staff/pin", taken)))

    # Living

    async def _do(self, deed: Deed) -> None:
        payer, to, payment_id = self.wallets[deed.payer.key], deed.payee.key, self.new_id("pay")
        if deed.way == "payment code":
            await self._charge(deed, payer, self.tills[to], self.shops[to])
            return
        code = self.plates[to]
        if deed.way == "code":
            request = {"reference": payment_id, "amount": deed.amount, "shop_id": self.shops[to], "remark": deed.remark}
            code = (await self.tills[to].post("/v1/payment-requests", request))["code"]
        quote = await payer.quote(code, deed.amount)
        paid = await payer.pay(quote, deed.amount, remark=deed.remark, payment_id=payment_id)
        if deed.back and paid["state"] == "COMPLETED":
            back = {"refund_id": self.new_id("rfd"), "payment_id": payment_id, "amount": deed.back, "remark": "退货"}
            await decided(partial(self.tills[to].post, "/v1/refunds", back))

    async def _charge(self, deed: Deed, payer: Wallet, till: NodeClient, shop_id: str) -> None:
        if self.clock.now_ns() // NS_PER_MS >= payer.phone.today_ends_at_ms:
            await payer.fetch_payment_code_keys()
        body = {
            "reference": self.new_id("pay"),
            "amount": deed.amount,
            "way": "PAYMENT_CODE",
            "shop_id": shop_id,
            "payer_code": payer.phone.payment_code(self.clock.now_ns()),
            "remark": deed.remark,
        }
        await decided(partial(till.post, "/v1/charges", body))

    async def _until(self, at_ns: int) -> None:
        """Put the clock forward, and wait until what is due by then is settled."""
        self.clock.put_to(at_ns)
        # Its draws say at each of their slots what is let in, and rewards are due: not a moment later than the next deed.
        drawing = self.network[DAILY.node].site.node
        drawing.tick()
        drawing.node.journal.seal()
        switch = self.network["switch"].site.node
        ends_at = asyncio.get_running_loop().time() + _WAIT_S
        while asyncio.get_running_loop().time() < ends_at and not self.leaving.is_set():
            now_ns = self.clock.now_ns()
            if all(row.state in _FINAL for row in switch.windows.windows() if row.closes_ns <= now_ns):
                return
            await asyncio.sleep(_PAUSE_S)

"""The steps of the demo: each does what people do, through the nodes' APIs, and checks what came of it."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.table import Table

from hutong.app.books import NodeBooks, node_books
from hutong.app.scene import photograph
from hutong.app.tour import Person, Till, Tour, yuan
from hutong.codes import merchant_presented
from hutong.codes.additional_data import Template
from hutong.codes.merchant_presented import MerchantPresentedCode
from hutong.codes.payment_code import STEP_NS
from hutong.codes.picture import qr_png
from hutong.kernel.money import Currency

INSTITUTIONS = ("jing", "wei", "zhi", "yun")
SEED = 7  # Of the photograph: any other is read as well.
_PAID_IN = 500_000
_TOPPED_UP = 300_000
_DEAR = 128_800  # Above what a payment code pays without a PIN, and above tier I.


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts."""

    li: Person
    han: Person
    wang: Person
    noodles: Till
    books: Till
    tea: Till


def show_network(tour: Tour) -> None:
    """Where everything is."""
    tour.step("The network is up: a switch and four institutions, each with its own books")
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 3))
    for column in ("node", "name", "API, with pages under /docs"):
        table.add_column(column)
    for node in tour.network.nodes.values():
        table.add_row(node.node_id, node.site.spec.name, node.url)
    tour.show(table)


async def gather(tour: Tour) -> Cast:
    """Merchants are taken on, people register."""
    tour.step("Merchants are taken on, people register: phone, one-time code, PIN")
    noodles = await tour.onboard("wei", "胡同面馆", "Hutong Noodles", "5812", 60)
    books = await tour.onboard("jing", "京城书店", "Capital Books", "5942", 38)
    tea = await tour.onboard("zhi", "支点茶室", "Fulcrum Tea", "5499", 60)
    people = await asyncio.gather(
        tour.register("李雷", "jing", "13800000001", "483915"),
        tour.register("韩梅梅", "zhi", "13800000002", "720461"),
        tour.register("王芳", "wei", "13800000003", "915738"),
    )
    for till in (noodles, books, tea):
        tour.say(f"merchant {till}")
    for person in people:
        await person.wallet.fetch_payment_code_keys()
        tour.say(f"user {person}")
    tier = {"tier": "II", "evidence": "FACE_TO_FACE", "name": people[1].name}
    await tour.operator("zhi").post(f"/v1/operator/users/{people[1].user_id}/tier", tier)
    tour.say(f"{people[1].name} showed a passport at zhi: real-name tier II")
    return Cast(*people, noodles, books, tea)


async def top_up(tour: Tour, cast: Cast) -> None:
    """Bank accounts are opened, funded, linked; money comes into the wallets."""
    tour.step("Bank yun: accounts are opened, linked by mandate, and wallets topped up (充值)")
    operator = tour.operator("yun")
    for number, person in enumerate((cast.li, cast.han), 11):
        customer = await tour.register(person.name, "yun", f"138000000{number}", person.pin)
        body = {"pay_in_id": tour.new_id("pin"), "user_id": customer.user_id, "amount": _PAID_IN}
        await operator.post("/v1/operator/pay-ins", body)
        mandate = {"grantee": person.node, "daily_max": _PAID_IN, "name": f"{person.name}的钱包"}
        granted = await customer.wallet.client.post("/v1/mandates", mandate)
        linked = await person.wallet.link_bank("云行储蓄", granted["text"])
        top_up = await person.wallet.top_up(linked["bank_account_id"], _TOPPED_UP)
        balances = await customer.wallet.balance(), await person.wallet.balance()
        tour.check(
            f"{person}: {yuan(_TOPPED_UP)} came from the bank, which has {yuan(balances[0])} left",
            holds=(top_up["state"], balances) == ("PAID", (_PAID_IN - _TOPPED_UP, _TOPPED_UP)),
            seen=(top_up, balances),
        )


async def pay_plate(tour: Tour, cast: Cast) -> dict[str, Any]:
    """A plate on a wall, photographed, read from the picture file, and paid from another institution's wallet."""
    tour.step("A plate of wei's is photographed; jing's wallet reads the picture and pays")
    plate = await cast.noodles.client.post("/v1/plates", {"reference": "counter"})
    printed = await cast.noodles.client.fetch(f"/v1/plates/{plate['plate_id']}/print.png")
    tour.keep("plate-noodles.png", printed)
    tour.keep("plate-noodles-code.png", qr_png(plate["text"]))
    photo = tour.keep("photo-noodles.jpg", await asyncio.to_thread(photograph, printed, SEED))
    scanned = await tour.scan(photo)
    tour.check("the photograph says what the plate says", holds=scanned == plate["text"], seen=scanned)
    return await pay(tour, cast.li, cast.noodles, scanned, 2_800, remark="两碗炸酱面")


async def pay_dynamic_code(tour: Tour, cast: Cast) -> None:
    """A code made for one payment, with its amount."""
    tour.step("A till of jing's shows a code with an amount; zhi's wallet pays it, once")
    request = await cast.books.client.post(
        "/v1/payment-requests", {"reference": "B-1001", "amount": 4_580, "remark": "《围城》"}
    )
    picture = tour.keep("dynamic-books.png", qr_png(request["code"]))
    scanned = await tour.scan(picture)
    await pay(tour, cast.han, cast.books, scanned, 4_580)
    paid = await cast.books.client.get(f"/v1/payment-requests/{request['request_id']}")
    tour.check("the request is paid", holds=paid["state"] == "PAID", seen=paid["state"])
    no = await tour.refused(cast.li.wallet.quote(scanned), "CODE_NOT_RESOLVED", "REQUEST_PAID", "REQUEST_ALREADY_PAID")
    tour.check(f"nobody pays it again: {no.reason}", holds=True)


async def charge_payment_code(tour: Tour, cast: Cast) -> None:
    """The merchant scans the payer."""
    tour.step("A till of wei's scans the payment code (付款码) that zhi's user's phone made offline")
    phone = cast.han.wallet.phone
    code = phone.payment_code(tour.clock.now_ns())
    tour.say(f"the phone shows {code[:2]} {code[2:11]} {code[11:]}, from its own seed and no network")
    picture = tour.keep("payment-code.png", qr_png(code))
    scanned = await tour.scan(picture)
    before = await cast.han.wallet.balance()
    body = {"reference": "N-2001", "amount": 1_200, "way": "PAYMENT_CODE", "payer_code": scanned, "remark": "酸梅汤"}
    charge = await tour.settled(lambda: cast.noodles.client.post("/v1/charges", body))
    after = await cast.han.wallet.balance()
    tour.check(
        f"{cast.han} paid {cast.noodles} {yuan(1_200)}, below the PIN's threshold",
        holds=(charge["state"], after) == ("PAID", before - 1_200),
        seen=(charge, before, after),
    )
    again = {"reference": "N-2002", "amount": 100, "way": "PAYMENT_CODE", "payer_code": scanned}
    charge = await tour.settled(lambda: cast.noodles.client.post("/v1/charges", again))
    tour.check(f"the same code pays nothing more: {charge['reason']}", holds=charge["state"] == "REJECTED", seen=charge)
    code = phone.payment_code(tour.clock.now_ns() + STEP_NS)  # The next one: its clock may be a little fast.
    dear = {"reference": "N-2003", "amount": _DEAR, "way": "PAYMENT_CODE", "payer_code": code, "remark": "一桌菜"}
    charge = await cast.noodles.client.post("/v1/charges", dear)
    tour.check(f"{yuan(_DEAR)} wait for the payer's PIN", holds=charge["state"] == "WAITING", seen=charge)
    (waiting,) = await cast.han.wallet.waiting()
    await cast.han.wallet.approve(waiting, cast.han.pin)
    charge = await tour.settled(lambda: cast.noodles.client.post("/v1/charges", dear))
    tour.check("and are paid with it", holds=charge["state"] == "PAID", seen=charge)


async def pay_person(tour: Tour, cast: Cast) -> None:
    """From one person to another, at no fee."""
    tour.step("A personal code (个人码): jing's user pays wei's user")
    code = await cast.wang.wallet.client.post(
        "/v1/personal-codes", {"id": tour.new_id("pco"), "amount": 0, "remark": "AA 火锅"}
    )
    picture = tour.keep("personal-code.png", qr_png(code["text"]))
    scanned = await tour.scan(picture)
    quote = await cast.li.wallet.quote(scanned)
    tour.say(f"{cast.li.name} is shown: {quote['payee_name']} at {quote['creditor_agent']}, {quote['remark']}")
    payment = await cast.li.wallet.pay(quote, 6_660, pin=cast.li.pin)
    balance = await cast.wang.wallet.balance()
    tour.check(
        f"{cast.li} paid {cast.wang} {yuan(6_660)}, who got all of it",
        holds=(payment["state"], balance) == ("COMPLETED", 6_660),
        seen=(payment, balance),
    )


async def pay_foreign_codes(tour: Tour, cast: Cast) -> None:
    """Codes that were in the field before there was a network."""
    tour.step("Foreign codes (不增设码牌): plates in the field for years are recognised as they are")
    hung = (
        ("foreign-url.png", cast.noodles, "https://qr.weipay.example/bax07731fy4", "a link of wei's old plates"),
        ("foreign-emvco.png", cast.noodles, _emvco("27", "com.weipay", (("01", "8810273"),)), "an EMVCo template"),
        (
            "foreign-national.png",
            cast.tea,
            _emvco("38", "A000000727", (("01", "00069704990112109257678859"), ("02", "QRIBFTTA"))),
            "an EMVCo template of a national scheme, zhi by the bank's number in it",
        ),
    )
    for amount, (file, till, text, what) in enumerate(hung, 1_501):
        operator = tour.operator(till.node)
        path = f"/v1/operator/merchants/{till.merchant_id}/foreign-plates"
        await operator.post(path, {"reference": file, "text": text})
        picture = tour.keep(file, qr_png(text))
        scanned = await tour.scan(picture)
        owner = await tour.operator("switch").get("/v1/directory", code=scanned)
        tour.check(f"{what}: the directory knows it is {till.node}'s", holds=owner["node"] == till.node, seen=owner)
        await pay(tour, cast.li, till, scanned, amount)
    await pay_by_card_number(tour, cast)


async def pay_by_card_number(tour: Tour, cast: Cast) -> None:
    """A number that never changes, and so is no consent: its owner is asked, however little it is."""
    digits = "28610123456789012345"
    path = f"/v1/operator/users/{cast.wang.user_id}/foreign-codes"
    await tour.operator("wei").post(path, {"digits": digits})
    scanned = await tour.scan(tour.keep("foreign-digits.png", qr_png(digits)))
    owner = await tour.operator("switch").get("/v1/directory", code=scanned)
    tour.check(f"20 digits on an old card: wei's by the form {owner['form']}", holds=owner["node"] == "wei", seen=owner)
    body = {"reference": "T-3001", "amount": 800, "way": "PAYMENT_CODE", "payer_code": scanned, "remark": "一壶茶"}
    charge = await cast.tea.client.post("/v1/charges", body)
    tour.check(f"{cast.tea} scans it: {cast.wang} is asked", holds=charge["state"] == "WAITING", seen=charge)
    (waiting,) = await cast.wang.wallet.waiting()
    await cast.wang.wallet.approve(waiting, cast.wang.pin)
    charge = await tour.settled(lambda: cast.tea.client.post("/v1/charges", body))
    tour.check(f"and pays {yuan(800)} with the PIN", holds=charge["state"] == "PAID", seen=charge)


async def refund(tour: Tour, cast: Cast, payment: dict[str, Any]) -> None:
    """Parts of a payment come back, and never more than it was."""
    tour.step("Refunds in parts, back through the switch")
    before = await cast.li.wallet.balance()
    given = 0
    for part in (1_000, 333):
        body = {"refund_id": tour.new_id("rfd"), "payment_id": payment["payment_id"], "amount": part, "remark": "退"}
        answer = await tour.settled(partial(cast.noodles.client.post, "/v1/refunds", body))
        given += part
        after = await cast.li.wallet.balance()
        tour.check(
            f"{yuan(part)} of {yuan(2_800)} are back at {cast.li}, {yuan(answer['fee'])} of it from the merchant's fee",
            holds=(answer["state"], after) == ("COMPLETED", before + given),
            seen=(answer, before, after),
        )
    body = {"refund_id": tour.new_id("rfd"), "payment_id": payment["payment_id"], "amount": 2_800 - given + 1}
    no = await tour.refused(cast.noodles.client.post("/v1/refunds", body), "REFUND_EXCEEDS_REMAINDER")
    tour.check(f"one fen more than what is left is refused: {no.reason}", holds=True)


async def settle(tour: Tour) -> None:
    """A window is closed while the network is up, and what everybody owes is paid between reserves."""
    tour.step("Settlement (清算): the window is closed, and net obligations are paid from reserves")
    operator = tour.operator("switch")
    window = (await operator.get("/v1/windows"))[0]["window"]
    before = {each["node"]: each for each in (await operator.get("/v1/positions"))["positions"]}
    path = f"/v1/windows/{window.replace('/', '.')}"
    await operator.post(f"{path}/close")

    async def settled() -> dict[str, Any]:
        for _ in range(100):
            found: dict[str, Any] = await operator.get(path)
            if found["state"] == "SETTLED":
                return found
            await asyncio.sleep(0.05)
        return found

    row = await settled()
    tour.check(
        f"window {window}: netted, checked and settled; payments: {row['payments']}, returns: {row['returns']}",
        holds=row["state"] == "SETTLED",
        seen=row,
    )
    entries = {entry["node"]: entry for entry in row["entries"]}
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 3))
    for column in ("node", "owed to it", "it owed", "net", "reserve before", "reserve now"):
        table.add_column(column, justify="left" if column == "node" else "right", no_wrap=True)
    for node, entry in entries.items():
        figures = (entry["credit"], entry["debit"], entry["moved"], entry["opening"], entry["closing"])
        table.add_row(node, *map(yuan, figures))
    tour.show(table)
    net = sum(entry["moved"] for entry in entries.values())
    tour.check("what is paid is what is received, the scheme's own fees included", holds=net == 0, seen=entries)
    after = {each["node"]: each for each in (await operator.get("/v1/positions"))["positions"]}
    tour.check(
        "every position stands at its cap again, and nobody may pay less than before",
        holds=all(not after[node]["net"] and after[node]["headroom"] == before[node]["headroom"] for node in before),
        seen=(before, after),
    )
    for _ in range(100):
        books = {node: await _books(tour, node) for node in INSTITUTIONS}
        if not any(found.clearing for found in books.values()):
            break
        await asyncio.sleep(0.05)
    for node, found in books.items():
        reserve = after[node]["reserve"]
        tour.check(
            f"{node}: its clearing account is empty, its settlement account says {yuan(reserve)} as the switch does",
            holds=(found.clearing, found.settlement) == (0, reserve),
            seen=(found, after[node]),
        )


async def audit(tour: Tour, *, again: bool = False) -> None:
    """Every ledger balanced, every position mirrored."""
    tour.step(f"The books{' behind it' * again}: every ledger balances, every clearing account mirrors its position")
    switch = await tour.operator("switch").get("/v1/positions")
    tour.check("the switch's ledger balances: positions = caps - income", holds=switch["balanced"], seen=switch)
    position_of = {position["node"]: position for position in switch["positions"]}
    books = {node: await _books(tour, node) for node in INSTITUTIONS}
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 3))
    for column in ("node", "wallets", "merchants", "reserve", "fees", "clearing", "position"):
        table.add_column(column, justify="left" if column == "node" else "right", no_wrap=True)
    for node, found in books.items():
        position = position_of[node]
        figures = (found.wallets, found.merchants, found.reserve, found.income, found.clearing)
        table.add_row(node, *map(yuan, figures), yuan(position["net"]))
    tour.show(table)
    for node, found in books.items():
        position = position_of[node]
        tour.check(
            f"{node}: debits {yuan(found.debits)} = credits, and nothing is left undecided",
            holds=found.debits == found.credits and not found.pending,
            seen=found,
        )
        tour.check(
            f"{node}: its clearing account has what its position says, {yuan(position['net'])}",
            holds=found.clearing == position["net"],
            seen=(found.clearing, position),
        )
        tour.check(f"{node}: customers' money is all there", holds=found.owed <= found.covered, seen=found)
    net = sum(position["net"] for position in position_of.values())
    tour.check("what is owed between the institutions adds up to nothing", holds=net == -switch["income"], seen=net)


async def pay(tour: Tour, person: Person, till: Till, scanned: str, amount: int, *, remark: str = "") -> dict[str, Any]:
    """Show who is to be paid, pay, and check both sides."""
    before, had = await person.wallet.balance(), await till.balance()
    quote = await person.wallet.quote(scanned, amount)
    tour.say(
        f"{person.name} is shown: {quote['payee_name']} at {quote['creditor_agent']}, "
        f"{yuan(quote['amount'] or amount)}, discount {yuan(quote['discount'] + quote['payee_discount'])}"
    )
    tour.check(f"that is {till}", holds=quote["payee_name"] == till.name and quote["creditor_agent"] == till.node)
    payment = await person.wallet.pay(quote, amount, pin=person.pin, remark=remark)
    after, has = await person.wallet.balance(), await till.balance()
    tour.check(
        f"{person} paid {till} {yuan(amount)}, who got {yuan(has - had)} after the fee",
        holds=payment["state"] == "COMPLETED" and after == before - amount and 0 < has - had <= amount,
        seen=(payment, before, after, had, has),
    )
    return payment


def _emvco(template: str, guid: str, fields: tuple[tuple[str, str], ...]) -> str:
    """A plate as another system printed it."""
    return merchant_presented.build(
        MerchantPresentedCode(
            accounts=(Template(template, guid, fields),),
            currency=Currency.CNY,
            country="CN",
            mcc="5812",
            name="Old Plate",
            city="Beijing",
        )
    )


async def _books(tour: Tour, node: str) -> NodeBooks:
    users = [person.user_id for person in tour.people if person.node == node]
    merchants = [till.merchant_id for till in tour.tills if till.node == node]
    return await node_books(tour.network[node].site.node, users, merchants)

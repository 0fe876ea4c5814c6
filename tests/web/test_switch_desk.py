"""The switch's desk: what its pages show is what the services say, and what they change goes by two people."""

import re

import pytest

from hutong.codes.picture import qr_png
from hutong.kernel.ids import id_text
from hutong.operators.operator import Role
from hutong.switch.lifecycle.key import fingerprint
from hutong.switch.settlement.flow_service import AGAIN_S, Stream
from hutong.web.language import words
from hutong.web.switch_desk.sankey import sankey
from tests.switch.world import World, complete, rejects
from tests.web.test_desk import Browser, Office

READS = (
    "/desk",
    "/desk/live",
    "/desk/participants",
    "/desk/participants/jing",
    "/desk/directory",
    "/desk/positions",
    "/desk/positions/jing",
    "/desk/positions/jing/entries.csv",
    "/desk/windows",
    "/desk/windows/2026-01-01.1",
    "/desk/payments",
    "/desk/recalls",
    "/desk/approvals",
    "/desk/audit",
    "/desk/audit/check",
    "/desk/operators",
)
_APPROVAL = re.compile(r'name="approval" value="(\w+)"')


@pytest.fixture
async def office() -> Office:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    world.switch.admission.register_form("wei", "url:https://qr.wei.example/")
    world.switch.admission.register_form("jing", "url:https://qr.wei.example/jing/", consented_by="li")
    world.journal.seal()
    return Office(world)


async def proposal(browser: Browser, page: str) -> str:
    found = _APPROVAL.search(await browser.open(page))
    assert found
    return found[1]


async def test_every_page_opens_for_a_viewer_who_is_offered_nothing_to_do(office: Office) -> None:
    viewer = await office.browser("li", Role.VIEWER)
    for path in READS:
        page = await viewer.open(path)
        forms = set(re.findall(r'<form method="post" action="([^"]+)"', page))
        assert forms <= {"/desk/sign-out", "/desk/directory"}, path


async def test_no_page_opens_for_a_stranger(office: Office) -> None:
    stranger = Browser(office.app)
    await office.token("li", Role.ADMIN)
    for path in READS:
        assert (await stranger.client.get(path)).headers["location"].startswith("/desk/sign-in?next="), path
        assert (await stranger.client.get(path, headers={"accept": "application/json"})).status_code == 401, path


async def test_a_viewer_changes_nothing(office: Office) -> None:
    viewer = await office.browser("li", Role.VIEWER)
    paths = [
        "/desk/participants",
        *(f"/desk/participants/jing/{step}" for step in ("suspend", "resume", "key", "confirm", "retire", "form")),
        *("/desk/positions/jing/cap", "/desk/positions/jing/reserve", "/desk/payments/nudge", "/desk/recalls"),
        *(f"/desk/windows/2026-01-01.1/{act}" for act in ("close", "default", "look-again")),
        f"/desk/approvals/{id_text('apr', 1)}",
    ]
    for path in paths:
        await viewer.send("/desk", path, 403, reason="because")
    assert office.world.switch.windows.window("2026-01-01/1").state == "OPEN"


async def test_a_suspension_is_proposed_by_one_and_done_by_another(office: Office) -> None:
    li, wang = await office.browser("li"), await office.browser("wang")
    approval = await proposal(li, "/desk/participants/jing")
    page = await li.send(
        "/desk/participants/jing", "/desk/participants/jing/suspend", approval=approval, reason="does not answer"
    )
    assert "Suspend jing" in page
    assert "Waiting" in page
    assert office.world.switch.admission.participant("jing").status == "ACTIVE"
    refused = await li.send("/desk", f"/desk/approvals/{approval}", 403, verdict="approve")
    assert "another operator has to approve it" in refused
    assert "does not answer" in await wang.open(f"/desk/approvals/{approval}")
    assert "Done" in await wang.send("/desk", f"/desk/approvals/{approval}", verdict="approve")
    assert office.world.switch.admission.participant("jing").status == "SUSPENDED"
    assert "is suspended" in await wang.open("/desk")


async def test_a_cap_is_proposed_in_yuan_and_what_is_no_amount_is_said_in_words(office: Office) -> None:
    li, wang = await office.browser("li"), await office.browser("wang")
    page = "/desk/positions/jing"
    approval = await proposal(li, page)

    async def send(amount: str, status: int) -> str:
        return await li.send(
            page,
            f"{page}/cap",
            status,
            approval=approval,
            currency="CNY",
            change="GRANT",
            amount=amount,
            reason="holidays",
        )

    for amount in ("", "1.234", "-5", "many"):
        await send(amount, 400)
    assert "+¥1,234.56" in await send("1,234.56", 200)
    before = (await office.world.position("jing")).credits_posted
    await wang.send("/desk", f"/desk/approvals/{approval}", verdict="approve")
    assert (await office.world.position("jing")).credits_posted == before + 123_456


async def test_a_code_is_tried_by_its_text_and_by_its_picture_and_the_longest_form_wins(office: Office) -> None:
    li = await office.browser("li", Role.VIEWER)
    code = "https://qr.wei.example/jing/7"
    for page in (
        await li.send("/desk/directory", "/desk/directory", code=code),
        await picture(li, qr_png(code)),
    ):
        assert "It is Jing" in page
        assert "It is a link that begins with https://qr.wei.example/jing/." in page
        assert "url:https://qr.wei.example/</code> (Wei)" in page
    assert "It is Wei" in await li.send("/desk/directory", "/desk/directory", code="https://qr.wei.example/7")
    assert "CODE_UNKNOWN" not in await li.send("/desk/directory", "/desk/directory", 404, code="https://no.example/7")


async def picture(browser: Browser, content: bytes) -> str:
    found = re.search(r'name="csrf" content="(\w+)"', await browser.open("/desk/directory"))
    assert found
    files = {"picture": ("code.png", content, "image/png")}
    answer = await browser.client.post("/desk/directory", data={"csrf": found[1], "code": ""}, files=files)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_payment_tells_its_story_and_an_undecided_one_whose_turn_it_is(office: Office) -> None:
    world, li = office.world, await office.browser("li")
    done, refused, waiting = world.payment(), world.payment(), world.payment()
    complete(world, done)
    world.say("jing", refused)
    world.say("wei", rejects(refused, "PAYEE_CLOSED"))
    world.say("jing", waiting)
    world.clock.advance(seconds=5)
    page = await li.open("/desk/payments")
    waiting_id = id_text("pay", int(waiting.payment_id, 16))
    assert waiting_id in page
    assert "accept or refuse it" in page
    assert "5 s" in page
    await li.send("/desk/payments", "/desk/payments/nudge", id=waiting_id)
    assert "Still undecided" in await li.open(f"/desk/payments?id={waiting_id}")
    assert "Completed" in await li.open(f"/desk/payments/{done.payment_id}")
    assert "PAYEE_CLOSED" in await li.open(f"/desk/payments/{refused.payment_id}")
    await li.open("/desk/payments/" + id_text("pay", 7), 404)


async def test_a_window_is_closed_and_its_files_are_there(office: Office) -> None:
    world, li = office.world, await office.browser("li")
    complete(world, world.payment(amount=1_000))
    window = "/desk/windows/2026-01-01.1"
    assert "Close it before its time" in await li.open(window)
    await li.send(window, f"{window}/close")
    world.clock.advance(seconds=3)
    world.switch.tick()
    page = await li.open(window)
    assert "−¥10.00" in page
    answer = await li.client.get(f"{window}/clearing.csv?node=jing")
    assert answer.text.count("\n") == 2
    assert answer.headers["content-disposition"] == 'attachment; filename="clearing-2026-01-01.1-jing.csv"'


async def test_the_flow_of_the_overview_is_what_was_paid(office: Office) -> None:
    world, li = office.world, await office.browser("li")
    complete(world, world.payment(amount=1_000))
    world.clock.advance(seconds=AGAIN_S)
    page = await li.open("/desk")
    assert "Jing to Wei: ¥10.00, 1" in page
    assert "The books balance" in page


def test_a_flow_is_as_broad_as_its_money_and_names_are_text() -> None:
    streams = [Stream("jing", "wei", "CNY", 2, 300), Stream("wei", "zhi", "CNY", 1, 100)]
    drawn = sankey(words("en"), streams, {"jing": "<Jing> & Co"})
    breadths = [float(found) for found in re.findall(r'stroke-width="([\d.]+)"', drawn)]
    assert [round(one / other) for one, other in zip(breadths[::2], breadths[1::2], strict=True)] == [3, 3]
    assert "&lt;Jing&gt; &amp; Co" in drawn
    assert "<Jing>" not in drawn


async def test_a_key_is_registered_by_one_and_confirmed_by_another(office: Office) -> None:
    li, wang = await office.browser("li"), await office.browser("wang")
    page = "/desk/participants/jing"
    await li.send(page, f"{page}/key", key_id="jing-2", public_key=bytes(range(32)).hex(), days="30")
    text = fingerprint(bytes(range(32)))
    await li.send(page, f"{page}/confirm", 403, key_id="jing-2", fingerprint=text)
    await wang.send(page, f"{page}/confirm", 422, key_id="jing-2", fingerprint="0000")
    assert "Valid" in await wang.send(page, f"{page}/confirm", key_id="jing-2", fingerprint=text)
    assert "Retired" in await wang.send(page, f"{page}/retire", key_id="jing-2")

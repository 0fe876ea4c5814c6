"""Red packets over HTTP, as people have them, and the books behind it."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import httpx

from tests.network.audit import audit_when_quiet
from tests.network.street import NO_TLS, PIN, TIMEOUT_S, Payer, Street, decided, new_id


def give(payer: Payer, amount: int, count: int, **more: Any) -> dict[str, Any]:
    packet_id = new_id("rpk")
    body = {"packet_id": packet_id, "kind": "LUCKY", "amount": amount, "count": count, **more}
    if amount > 20_000:
        body["pin_token"] = payer.pin_token(packet_id.replace("rpk", "pay"), amount, packet_id)
    return dict(payer.post("/v1/me/red-packets", body))


def claim(payer: Payer, link: str) -> dict[str, Any]:
    return dict(payer.post("/v1/me/red-packets/claims", {"link": link}))


def test_a_packet_goes_round_a_table(street: Street) -> None:
    sender = street.payer("jing", 100_000, pin=True, tier="III")
    friends = [street.payer("jing") for _ in range(4)]
    packet = give(sender, 30_000, 4, greeting="恭喜发财")
    assert (packet["state"], packet["claimed_count"], "seed" in packet) == ("OPEN", 0, False)
    look = friends[0].post("/v1/me/red-packets/look", {"link": packet["link"]})
    assert (look["sender_name"], look["greeting"], look["state"], "claimed" in look) == (
        "*小明",
        "恭喜发财",
        "OPEN",
        False,
    )
    with ThreadPoolExecutor(4) as together:
        got = list(together.map(lambda friend: claim(friend, packet["link"]), friends))
    assert sum(each["amount"] for each in got) == 30_000
    assert [friend.balance for friend in friends] == [each["amount"] for each in got]
    assert claim(friends[0], packet["link"]) == got[0]
    late = street.payer("jing")
    assert late.refused("/v1/me/red-packets/claims", {"link": packet["link"]})["reason"] == "RED_PACKET_EMPTY"
    over = sender.get(f"/v1/me/red-packets/{packet['packet_id']}")
    assert (over["state"], over["claimed_amount"], over["commitment"]) == ("EMPTY", 30_000, packet["commitment"])
    assert len(bytes.fromhex(over["seed"])) == 32
    shares = friends[1].get(f"/v1/me/red-packets/{packet['packet_id']}/shares?limit=3")
    rest = friends[1].get(f"/v1/me/red-packets/{packet['packet_id']}/shares?after={shares['next_after']}")
    assert [each["number"] for each in shares["shares"] + rest["shares"]] == [0, 1, 2, 3]
    assert late.refused(f"/v1/me/red-packets/{packet['packet_id']}", method="GET")["reason"] == "RED_PACKET_UNKNOWN"
    assert [each["packet_id"] for each in sender.get("/v1/me/red-packets")] == [packet["packet_id"]]
    assert [each["amount"] for each in friends[2].get("/v1/me/red-packets/claims")] == [got[2]["amount"]]
    told = {each["event"]["type"] for each in sender.get("/v1/events")["events"]}
    assert "red_packet.finished" in told
    assert audit_when_quiet(street.database_url).wrong == []


def test_the_same_again_is_the_same_packet_and_other_content_a_conflict(street: Street) -> None:
    sender = street.payer("jing", 1_000)
    body = {"packet_id": new_id("rpk"), "kind": "LUCKY", "amount": 600, "count": 3}
    first = sender.post("/v1/me/red-packets", body)
    assert sender.post("/v1/me/red-packets", body) == first
    differs = sender.refused("/v1/me/red-packets", {**body, "count": 4})
    assert (differs["kind"], differs["facts"]) == ("CONFLICT", {"field": "count"})
    assert sender.balance == 400


def test_a_packet_for_one_waits_in_their_wallet(street: Street) -> None:
    sender, friend = street.payer("jing", 1_000), street.payer("jing")
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    packet = give(sender, 520, 1, kind="EQUAL", to_code=code)
    (waiting,) = friend.get("/v1/me/red-packets?role=waiting")
    assert (waiting["packet_id"], "link" in waiting) == (packet["packet_id"], False)
    other = street.payer("jing")
    assert other.refused("/v1/me/red-packets/claims", {"link": packet["link"]})["reason"] == "RED_PACKET_NOT_YOURS"
    assert claim(friend, packet["link"])["amount"] == 520


def test_people_of_other_institutions_open_it_too(street: Street) -> None:
    sender, there = street.payer("jing", 1_000), street.payer("wei")
    packet = give(sender, 600, 2, greeting="新年好")
    look = there.post("/v1/me/red-packets/look", {"link": packet["link"]})
    assert (look["sender_name"], look["greeting"], look["state"]) == ("*小明", "新年好", "OPEN")
    got = claim(there, packet["link"])
    assert (got["institution"], got["sender_name"], got["greeting"]) == ("jing", "*小明", "新年好")
    rest = claim(sender, packet["link"])["amount"]
    assert rest + got["amount"] == 600
    settled = decided(lambda: {"state": "OPEN" if claim(there, packet["link"])["state"] == "SENDING" else "PAID"})
    assert (settled["state"], there.balance) == ("PAID", got["amount"])
    (mine,) = there.get("/v1/me/red-packets/claims")
    assert (mine["amount"], mine["state"], mine["link"]) == (got["amount"], "PAID", packet["link"])
    shares = sender.get(f"/v1/me/red-packets/{packet['packet_id']}/shares")["shares"]
    assert {(each.get("agent", ""), each["amount"]) for each in shares} == {("wei", got["amount"]), ("", rest)}
    late = street.payer("zhi").refused("/v1/me/red-packets/claims", {"link": packet["link"]})
    assert late["reason"] == "RED_PACKET_EMPTY"


def test_a_packet_for_one_person_of_another_institution_is_theirs_alone(street: Street) -> None:
    sender, friend, other = street.payer("jing", 1_000), street.payer("wei"), street.payer("wei")
    for payer in (other, friend):  # Each has a code of before: claims are made with that one by themselves.
        payer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": "先"})
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": "红包"})["text"]
    packet = give(sender, 520, 1, kind="EQUAL", to_code=code)
    assert (packet["to_institution"], packet["to_name"]) == ("wei", "*小明")
    for payer in (other, street.payer("zhi"), street.payer("jing"), sender):
        look = payer.post("/v1/me/red-packets/look", {"link": packet["link"]})
        assert look.get("is_for_another", False) is (payer.node != "zhi"), "zhi has no code to compare it with"
        assert payer.refused("/v1/me/red-packets/claims", {"link": packet["link"]})["reason"] == "RED_PACKET_NOT_YOURS"
    with browser(friend) as page, browser(other) as others:
        mine, shut = (
            each.get(
                "/wallet/red-packets/open", params={"link": packet["link"]}, headers={"accept-language": "en"}
            ).text
            for each in (page, others)
        )
        assert ("For you alone" in mine, "Open it" in mine) == (True, True)
        assert ("not for you" in shut, "Open it" in shut) == (True, False)
    assert claim(friend, packet["link"])["amount"] == 520
    settled = decided(lambda: {"state": "OPEN" if claim(friend, packet["link"])["state"] == "SENDING" else "PAID"})
    assert (settled["state"], friend.balance, other.balance) == ("PAID", 520, 0)
    till = street.till("wei")
    body = {"packet_id": new_id("rpk"), "kind": "EQUAL", "amount": 100, "count": 1, "to_code": till.plate}
    assert sender.refused("/v1/me/red-packets", body)["reason"] == "RED_PACKET_NAMES_NOBODY"


def test_a_packet_for_one_elsewhere_is_filled_and_opened_in_the_wallets_pages(street: Street) -> None:
    sender, friend = street.payer("jing", 50_000), street.payer("wei")
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    with browser(sender) as at_jing, browser(friend) as at_wei:
        form = hidden(at_jing.get("/wallet/red-packets/new").text)
        typed = {**form, "kind": "EQUAL", "amount": "5.20", "count": "1", "greeting": "恭喜发财"}
        wrong = at_jing.post("/wallet/red-packets", data={**typed, "to": street.till("wei").plate})
        assert (wrong.status_code, "/wallet/red-packets" in str(wrong.url)) == (400, True)
        packet = at_jing.post("/wallet/red-packets", data={**typed, "to": code})
        assert packet.status_code == 200
        link = re.search(r"https://jing[^<\s]*/q/G[0-9A-Z]+", packet.text)
        assert link is not None
        cover = at_wei.get("/wallet/red-packets/open", params={"link": link[0]})
        assert "¥5.20" in at_wei.post("/wallet/red-packets/open", data=hidden(cover.text)).text


def test_what_cannot_be_is_refused_by_name(street: Street) -> None:
    poor = street.payer("jing", 100)
    body = {"packet_id": new_id("rpk"), "kind": "EQUAL", "amount": 200, "count": 2}
    no = poor.refused("/v1/me/red-packets", body)
    assert (no["reason"], no["facts"]["state"]) == ("BALANCE_INSUFFICIENT", "FAILED")
    assert poor.refused("/v1/me/red-packets", body) == no
    needs = poor.refused("/v1/me/red-packets", {**body, "packet_id": new_id("rpk"), "amount": 20_002})
    assert needs["reason"] == "PIN_NEEDED"
    for link, reason in {
        "no link": "LINK_MALFORMED",
        f"{_base(street)}G0": "PLATE_MALFORMED",
        f"{_base(street)}GA000000000000000000000001": "PLATE_MISTYPED",
    }.items():
        for path in ("claims", "look"):
            assert poor.refused(f"/v1/me/red-packets/{path}", {"link": link})["reason"] == reason
    plate = street.till("jing").plate
    assert poor.refused("/v1/me/red-packets/claims", {"link": plate})["reason"] == "RED_PACKET_UNKNOWN"


def test_a_packet_is_filled_looked_at_and_opened_in_the_wallets_pages(street: Street) -> None:
    sender, friend = street.payer("jing", 50_000, pin=True), street.payer("wei")
    with browser(sender) as at_jing, browser(friend) as at_wei:
        form = hidden(at_jing.get("/wallet/red-packets/new").text)
        typed = {**form, "kind": "EQUAL", "amount": "150", "count": "2", "greeting": "恭喜发财"}
        asked = at_jing.post("/wallet/red-packets", data=typed)  # Twice 150 yuan: the PIN is needed.
        assert 'name="pin"' in asked.text
        packet = at_jing.post("/wallet/red-packets", data={**typed, **hidden(asked.text), "pin": PIN})
        assert (packet.status_code, sender.balance) == (200, 20_000)
        link = re.search(r"https://jing[^<\s]*/q/G[0-9A-Z]+", packet.text)
        assert link is not None
        cover = at_wei.get("/wallet/red-packets/open", params={"link": link[0]})
        assert "恭喜发财" in cover.text
        scanned = at_wei.get("/wallet/scan", params={"code": link[0]})
        assert scanned.url.path == "/wallet/red-packets/open"
        opened = at_wei.post("/wallet/red-packets/open", data=hidden(cover.text))
        assert "¥150.00" in opened.text
        landing = httpx.get(f"{sender.url}/q/{link[0].rpartition('/')[2]}", trust_env=False, verify=NO_TLS)
        assert (landing.status_code, "恭喜发财" in landing.text) == (200, True)
        for page in (at_jing, at_wei):
            assert page.get("/wallet/red-packets").status_code == 200


def browser(payer: Payer) -> httpx.Client:
    """A browser that is signed in as somebody."""
    cookies = {f"wallet-{payer.node}": payer.token}
    return httpx.Client(
        base_url=payer.url, cookies=cookies, follow_redirects=True, trust_env=False, timeout=TIMEOUT_S, verify=NO_TLS
    )


def hidden(page: str) -> dict[str, str]:
    """What a page's last form sends unseen."""
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def test_a_red_packet_is_not_paid(street: Street) -> None:
    sender = street.payer("jing", 1_000)
    link = give(sender, 520, 1)["link"]
    assert sender.refused("/v1/codes/consult", {"code": link})["reason"] == "CODE_IS_RED_PACKET"
    elsewhere = street.payer("wei").refused("/v1/codes/consult", {"code": link})
    assert (elsewhere["reason"], elsewhere["facts"]["because"]) == ("CODE_NOT_RESOLVED", "CODE_IS_RED_PACKET")


def _base(street: Street) -> str:
    return str(street.till("jing").plate).rpartition("/")[0] + "/"

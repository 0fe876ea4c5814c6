"""A whole network in a process of its own, and every command that talks to one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hutong.app.processes import free_ports
from hutong.cli.main import run
from tests.network.street import NO_TLS

NODES = ("switch", "jing", "wei", "zhi", "yun")
ROOT = Path(__file__).parents[2]
Say = Callable[..., Any]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A network that is up, and the settings with which commands find it."""
    # Short and open to pass, for PostgreSQL's own account.
    directory = Path(tempfile.mkdtemp(prefix="hutong-cli-", dir="/tmp"))
    directory.chmod(0o711)
    ports = free_ports(len(NODES))
    told = {"HUTONG_DATA_DIRECTORY": str(directory / "data")}
    told |= {f"HUTONG_PORT_{node.upper()}": str(port) for node, port in zip(NODES, ports, strict=True)}
    process = subprocess.Popen(
        [sys.executable, "-m", "hutong", "up", "--no-samples"],
        env={**os.environ, **told, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_ready(process, ports)
        yield told
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=200)
        assert process.returncode == 0, out.decode()
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(directory, ignore_errors=True)


def _wait_until_ready(process: "subprocess.Popen[bytes]", ports: list[int]) -> None:
    for _ in range(2_000):
        assert process.poll() is None, process.communicate()[0].decode()
        try:
            if all(httpx.get(f"http://127.0.0.1:{port}/health/ready", verify=NO_TLS).is_success for port in ports):
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the network did not come up")


@pytest.fixture
def say(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command with --json: its answer, or the problem it was refused with."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def say(*arguments: str, code: int = 0) -> Any:
        found = run([*arguments, "--json"])
        out, err = capsys.readouterr()
        assert found == code, (arguments, out, err)
        return json.loads(out if code == 0 else err)

    return say


def test_a_day_with_the_command_line(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One story, because each command lives on what the ones before it did."""
    # Nobody is anybody yet.
    assert say("balance", code=1)["reason"] == "NOT_SIGNED_IN"
    registered = say("register", "13800000001", "李雷", "--pin", "483915", "--node", "jing")
    assert (registered["user"]["name"], "token" in registered) == ("李雷", False)
    assert say("balance")["balance"] == 0
    say("register", "13800000001", "李雷", "--pin", "483915", "--node", "yun")
    assert say("balance", code=1)["reason"] == "WHO_IS_MEANT"

    # Money comes from the bank.
    assert say("pay-in", "13800000001", "500", "--node", "yun")["amount"] == 50_000
    assert say("top-up", "1", "--node", "jing", code=1)["reason"] == "BANK_NOT_LINKED"
    say("link-bank", "yun", "--node", "jing")
    assert say("top-up", "300", "--node", "jing")["balance"] == 30_000
    refused = say("top-up", "300", "--node", "jing", code=1)
    assert refused["reason"] == "TOP_UP_REJECTED"

    # A PIN that was seen is changed.
    assert say("pin", "--new", "720461", "--node", "jing", code=1)["reason"] == "ANSWER_NEEDED"
    say("pin", "--new", "720461", "--old", "483915", "--node", "jing")
    say("pin", "--new", "483915", "--old", "720461", "--node", "jing")

    # A merchant hangs up a plate; its picture is paid.
    say("onboard", "胡同面馆", "--latin", "Hutong Noodles", "--node", "wei")
    picture = tmp_path / "plate.png"
    say("plate", "--out", str(picture))
    assert say("pay", str(picture), "--node", "jing", "--pin", "483915", code=1)["reason"] == "ANSWER_NEEDED"
    wrong = say("pay", str(picture), "--node", "jing", "--amount", "28", "--pin", "483916", code=1)
    assert wrong["reason"] == "PIN_WRONG"
    paid = say("pay", str(picture), "--node", "jing", "--amount", "28.00", "--pin", "483915", "--remark", "面")
    assert (paid["state"], paid["payee_name"], paid["amount"]) == ("COMPLETED", "胡同面馆", 2_800)

    assert say("payment", paid["payment_id"], "--node", "jing")["state"] == "COMPLETED"

    # A code with an amount; the amount is the merchant's to say.
    request = say("charge", "12.50", "--remark", "酸梅汤")
    assert say("pay", request["code"], "--node", "jing", "--amount", "12", code=1)["reason"] == "AMOUNT_DIFFERS"
    assert say("pay", request["code"], "--node", "jing")["amount"] == 1_250  # So little takes no PIN.
    dear = say("pay", str(picture), "--node", "jing", "--amount", "200.01", code=1)
    assert (dear["reason"], dear["facts"]["pin_free"]) == ("PIN_NEEDED", 20_000)

    # The merchant scans the payer.
    shown = say("payment-code", "--node", "jing")["payment_code"]
    assert say("payment-code", "--node", "jing", "--offline")["payment_code"][:11] == shown[:11]
    assert say("pay", shown, "--node", "jing", code=1)["reason"] == "CODE_IS_A_PAYERS"
    assert say("charge", "3", "--payment-code", shown)["state"] == "PAID"
    assert say("charge", "3", "--payment-code", shown, code=1)["reason"] == "CHARGE_REJECTED"

    # Parts come back.
    assert say("refund", paid["payment_id"], "10")["state"] == "COMPLETED"
    over = say("refund", paid["payment_id"], "18.01", code=1)
    assert (over["reason"], over["facts"]["left"]) == ("REFUND_EXCEEDS_REMAINDER", 1_800)

    # A person is paid; the statement adds up.
    code = say("receive", "--node", "yun", "--amount", "5")
    assert say("pay", code["text"], "--node", "jing", "--pin", "483915")["paid"] == 500
    lines = say("statement", "--node", "jing")["lines"]
    assert sum(line["amount"] if line["direction"] == "IN" else -line["amount"] for line in lines) == 26_150
    assert say("balance", "--node", "jing")["balance"] == 26_150
    capsys.readouterr()
    assert run(["statement", "--node", "jing"]) == 0
    assert "¥300.00" in capsys.readouterr().out
    assert run(["pay", code["text"], "--node", "jing"]) == 1  # Nobody is there to be asked.
    out, err = capsys.readouterr()
    assert "¥5.00" in out
    assert err.startswith("hutong: ANSWER_NEEDED")


def test_the_operator_looks_after_participants(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    known = say("participant", "list")
    assert [each["node"] for each in known["participants"]] == ["jing", "wei", "yun", "zhi"]
    assert known["books"]["balanced"]
    assert say("participant", "suspend", "zhi")["status"] == "SUSPENDED"
    assert say("participant", "resume", "zhi")["status"] == "ACTIVE"
    assert say("participant", "suspend", "nobody", code=1)["reason"] == "PARTICIPANT_UNKNOWN"
    before = say("participant", "cap", "zhi", "0.01")["position"]["headroom"]
    assert say("participant", "cap", "zhi", "0.01", "--lower")["position"]["headroom"] == before - 1
    forms = say("participant", "forms", "zhi", "--add", "url:https://old.zhi.example/")
    assert "url:https://old.zhi.example/" in [form["form"] for form in forms]
    key = "00" * 32
    assert say("participant", "keys", "zhi", "--add", "zhi-2", "--public-key", key)[-1]["public_key"] == key
    assert say("participant", "admit", "hai", "Hai 海")["status"] == "ACTIVE"
    capsys.readouterr()
    assert run(["participant", "list"]) == 0
    assert "Books balanced" in capsys.readouterr().out


def test_the_operator_announces_calendars_and_rules(
    say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calendar, rules = tmp_path / "calendar.toml", tmp_path / "rules.toml"
    calendar.write_text(
        'version = "2099-1"\nfirst_on = 2099-01-01\nzone = "Asia/Shanghai"\ncut_offs = ["10:00"]\n'
        "closed_weekdays = [6, 7]\nclosed_days = [2099-02-09]\n"
    )
    published = say("settlement", "calendar", "--publish", str(calendar))
    assert (published["version"], published["rules"]["closed_days"]) == ("2099-1", ["2099-02-09"])
    assert say("settlement", "calendar", "--publish", str(calendar)) == published
    assert published in say("settlement", "calendar")
    calendar.write_text(calendar.read_text().replace("10:00", "11:00"))
    assert say("settlement", "calendar", "--publish", str(calendar), code=1)["reason"] == "CALENDAR_CONFLICTS"

    rules.write_text('version = "2099-1"\nstarts_at = 2099-01-01T00:00:00+08:00\n[rules]\ncap_bps = 8000\n')
    published = say("settlement", "rules", "--publish", str(rules))
    assert (published["starts_at_ms"], published["rules"]["cap_bps"]) == (4_070_880_000_000, 8_000)
    assert published in say("settlement", "rules")["rules"]
    for text, reason in (
        ("version = ", "FILE_UNREADABLE"),
        ("[rules]", "VERSION_MISSING"),
        ('version = "x"\nstarts_at = 2099-01-01T00:00:00', "INSTANT_WITHOUT_ZONE"),
        ('version = "x"\nstarts_at = 2099-01-01T00:00:00Z\n[rules]\ncaps = 1', "FIELD_INVALID"),
    ):
        rules.write_text(text)
        assert say("settlement", "rules", "--publish", str(rules), code=1)["reason"] == reason
    capsys.readouterr()
    assert run(["settlement", "rules"]) == 0
    assert run(["settlement", "invoices", "--form", "csv"]) == 0
    out = capsys.readouterr().out
    assert "80 % of the reserve" in out
    assert "number,issued_at,month,node" in out


def test_the_credentials_are_their_owners_alone(say: Say, environment: dict[str, str]) -> None:
    say("participant", "list")
    file = Path(environment["HUTONG_DATA_DIRECTORY"]) / "credentials.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_node_that_is_not_there_is_said(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("HUTONG_PORT_SWITCH", str(port))
    silent = say("participant", "list", code=1)
    assert silent["reason"] == "NODE_SILENT"
    assert say("register", "13800000009", "A", "--node", "nowhere", code=1)["reason"] == "NODE_WITHOUT_PORT"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1x", "ftp://127.0.0.1", "127.0.0.1:8100"])
def test_what_is_no_address_is_said(say: Say, url: str) -> None:
    assert say("participant", "list", "--url", url, code=1)["reason"] == "NODE_SILENT"


def test_operators_are_named_and_what_they_do_is_in_a_log_that_verifies(say: Say) -> None:
    appointed = say("operator", "appoint", "li", "--role", "VIEWER")
    assert appointed["operator"]["role"] == "VIEWER"
    say("participant", "suspend", "yun")
    say("participant", "resume", "yun")
    anchor = "{number}:{hash}".format(**say("audit-log", "head"))
    assert [entry["action"] for entry in say("audit-log", "show", "--last", "2", "--subject", "yun")] == [
        "POST /v1/participants/{node}/suspend",
        "POST /v1/participants/{node}/resume",
    ]
    say("operator", "renew", "li")
    verified = say("audit-log", "verify", "--anchor", anchor)
    assert (verified["node"], verified["anchors"], verified["erased"]) == ("switch", 1, 0)
    beyond = f"{verified['number'] + 1}:{'0' * 64}"
    assert say("audit-log", "verify", "--anchor", beyond, code=1)["reason"] == "AUDIT_LOG_BROKEN"
    assert say("audit-log", "verify", "--anchor", "1:zz", code=1)["reason"] == "ANCHOR_MALFORMED"
    assert say("operator", "dismiss", "operator", code=1)["reason"] == "LAST_ADMIN"
    say("operator", "dismiss", "li")
    assert {each["name"]: each["active"] for each in say("operator", "list")} == {"li": False, "operator": True}


def test_what_takes_two_is_proposed_and_decided(say: Say) -> None:
    made = say(
        "approval", "propose", "cap.change", "yun", "--reason", "why", "--fact", "change=GRANT", "--fact", "amount=1"
    )
    assert made["state"] == "PROPOSED", "a network for trying out has a colleague"
    id_ = made["approval_id"]
    assert say("approval", "approve", id_, code=1)["reason"] == "APPROVAL_NEEDS_ANOTHER_OPERATOR"
    assert [each["approval_id"] for each in say("approval", "list")] == [id_]
    assert say("approval", "decline", id_, "--remark", "not today")["state"] == "WITHDRAWN"
    assert say("approval", "list") == []
    assert [each["remark"] for each in say("approval", "list", "--everything")] == ["not today"]


def test_a_closed_user_is_forgotten(say: Say) -> None:
    user = say("register", "+8613900139000", "李忘", "--node", "jing", "--pin", "482917")["user"]["id"]
    assert say("person", "export", user, "--node", "jing")["tables"]["users"][0]["name"] == "李忘"
    assert say("person", "erase", user, "--why", "asked for", "--node", "jing", code=1)["reason"] == "USER_NOT_CLOSED"
    assert say("person", "erase", user, "--why", "asked for", code=1)["reason"] == "INSTITUTION_NEEDED"
    assert say("person", "purge", "--node", "jing") == {"count": 0}


def test_a_campaign_from_its_sponsor_to_its_end(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at, phone = ("--node", "zhi"), "13900139001"
    say("register", phone, "韩梅梅", "--pin", "483915", *at)
    say("pay-in", phone, "100", *at)
    say("onboard", "茶馆", "--latin", "Tea House", *at)
    code = say("plate", *at)["text"]
    sponsor = say("campaign", "sponsor", "消费节", "--reference", "city", *at)
    assert say("campaign", "deposit", "city", "50", *at)["balance"] == 5_000
    assert say("campaign", "deposit", "nobody", "50", *at, code=1)["reason"] == "SPONSOR_NOT_FOUND"
    asked = ("campaign", "create", "满十减二", "--by", "city", "--budget", "30", "--off", "2", "--least", "10")
    draft = say(*asked, "--times-a-day", "1", *at)
    id_ = draft["campaign_id"]
    assert (draft["state"], draft["sponsors"]) == ("DRAFT", [{"sponsor_id": sponsor["sponsor_id"], "proportion": 1}])
    terms = tmp_path / "terms.json"
    terms.write_text('{"rules": {"rows": [{"off": 100, "when": {"mcc": "tea"}}]}}')
    other = ("campaign", "create", "x", "--by", "city=2", "--budget", "1", "--terms", str(terms))
    assert say(*other, *at, code=1)["reason"] == "RULE_NOT_UNDERSTOOD"
    assert say("campaign", "start", id_, *at)["state"] == "RUNNING"
    paid = say("pay", code, "--amount", "20", "--pin", "483915", *at)
    held_out = paid["paid"] == 2_000  # One in twenty is, and nobody can choose who.
    assert paid["paid"] in (1_800, 2_000)
    assert say("campaign", "awards", id_, *at)["awards"] == [] if held_out else True
    assert say("campaign", "list", "--only", "RUNNING", *at)[0]["given"] == 2_000 - paid["paid"]
    assert say("campaign", "pause", id_, *at)["state"] == "PAUSED"
    ended = say("campaign", "end", id_, *at)
    assert (ended["state"], ended["given_back"]) == ("ENDED", 3_000 - 2_000 + paid["paid"])
    _key_of_a_sponsor(say, at)
    capsys.readouterr()
    for words in (("show", id_), ("keys", "city"), ("movements", "city"), ("key", "city", "商会")):
        assert run(["campaign", *words, *at]) == 0
    shown = capsys.readouterr().out
    for told in ("满十减二", "revoked", "GIVEN_BACK", "消费节, 商会: spk_"):
        assert told in shown


def _key_of_a_sponsor(say: Say, at: tuple[str, ...]) -> None:
    issued = say("campaign", "key", "city", "市政府", "--key-id", "desk-1", *at)
    assert say("campaign", "key", "city", "市政府", "--key-id", "desk-1", *at) == issued
    key_id = issued["key"]["key_id"]
    assert issued["token"].startswith(f"{key_id}_")
    assert say("campaign", "key", "nobody", "x", *at, code=1)["reason"] == "SPONSOR_NOT_FOUND"
    draft = say("campaign", "create", "又一个", "--by", "city", "--budget", "1", "--off", "1", *at)
    assert draft["waits_for"] == [draft["sponsors"][0]["sponsor_id"]]
    assert say("campaign", "start", draft["campaign_id"], *at, code=1)["reason"] == "CAMPAIGN_NOT_AGREED"
    assert say("campaign", "revoke-key", "city", key_id, *at)["is_good"] is False
    assert [each["is_good"] for each in say("campaign", "keys", "city", *at)] == [False]
    moved = [each["kind"] for each in say("campaign", "movements", "city", *at)["movements"]]
    assert moved == ["GIVEN_BACK", "FUNDED", "DEPOSIT"]


def test_coupons_from_their_template_to_a_payment(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at, phone, friend = ("--node", "wei"), "13900139002", "13900139003"
    for each in (phone, friend):
        say("register", each, "韩梅梅", "--pin", "483915", *at)
    me = ("--as", phone, *at)
    say("pay-in", phone, "100", *at)
    say("onboard", "早餐铺", "--latin", "Breakfast", *at)
    code = say("plate", "--as", "早餐铺", *at)["text"]
    say("campaign", "sponsor", "早餐节", "--reference", "breakfast", *at)
    say("campaign", "deposit", "breakfast", "50", *at)
    terms = tmp_path / "terms.json"
    terms.write_text('{"holdout_bps": 0}')
    asked = ("campaign", "create", "早餐", "--by", "breakfast", "--budget", "30", "--kind", "COUPON")
    campaign_id = say(*asked, "--terms", str(terms), *at)["campaign_id"]
    say("campaign", "start", campaign_id, *at)
    make = ("coupon", "create", "满20减5", "--campaign", campaign_id, "--stock", "10", "--least", "20")
    assert say(*make, *at, code=1)["reason"] == "COUPON_TERMS_UNREADABLE"
    plain = say(*make, "--off", "5", "--transferable", *at)["template_id"]
    coded = say(*make, "--percent", "10", "--at-most", "3", "--code", "UNIQUE", *at)["template_id"]
    out = tmp_path / "codes.txt"
    batch = say("coupon", "codes", coded, "--count", "3", "--out", str(out), *at)
    again = say("coupon", "codes", coded, "--count", "3", "--batch-id", batch["batch_id"], *at)
    assert again["codes"] == out.read_text().split()
    assert [each["template_id"] for each in say("coupon", "offers", *me)] == [plain]
    given = say("coupon", "claim", plain, *me)["coupon_id"]
    assert say("coupon", "give", given, friend, *me)["was_given"]
    assert say("coupon", "claim", *me, code=1)["reason"] == "COUPON_OR_CODE_NEEDED"
    say("coupon", "claim", "--code", again["codes"][0], *me)
    assert say("pay", code, "--amount", "25", "--pin", "483915", *me)["paid"] == 2_250
    assert [each["state"] for each in say("coupon", "mine", *me)] == ["REDEEMED"]
    assert [each["state"] for each in say("coupon", "claims", coded, *at)["claims"]] == ["REDEEMED"]
    assert say("coupon", "stock", plain, "0", *at, code=1)["reason"]
    assert say("coupon", "stock", plain, "20", *at)["stock"] == 20
    assert [say("coupon", verb, plain, *at)["state"] for verb in ("pause", "resume", "end")] == [
        "PAUSED",
        "ACTIVE",
        "ENDED",
    ]
    capsys.readouterr()
    assert run(["coupon", "show", coded, *at]) == 0
    assert run(["coupon", "list", *at]) == 0
    assert run(["coupon", "mine", *me]) == 0
    assert "1 of 10" in capsys.readouterr().out


def test_a_merchants_own_campaigns_and_programmes_by_command(
    say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at, phone = ("--node", "jing"), "13900139007"
    user = say("register", phone, "韩梅梅", "--pin", "483915", *at)["user"]["id"]
    say("pay-in", phone, "100", *at)
    say("onboard", "包子铺", "--latin", "Buns", *at)
    shop = ("--as", "包子铺", *at)
    code = say("plate", *shop)["text"]
    say("pay", code, "--amount", "50", "--pin", "483915", "--as", phone, *at)
    assert say("campaign", "budget", "20", *shop)["balance"] == 2_000
    assert say("campaign", "budget", "5", "--back", *shop)["balance"] == 1_500
    own = ("--merchant", *shop)
    assert say("campaign", "create", "x", "--budget", "9", "--off", "1", *at, code=1)["reason"]  # Nobody pays.
    id_ = say("campaign", "create", "早市", "--budget", "9", "--off", "1", "--held-out", "0", *own)["campaign_id"]
    assert [each["campaign_id"] for each in say("campaign", "list", *own)] == [id_]
    assert say("campaign", "start", id_, *own)["state"] == "RUNNING"
    terms = tmp_path / "terms.json"
    terms.write_text('{"rules": {"rows": [{"off": 200}]}, "holdout_bps": 0}')
    assert say("campaign", "terms", id_, str(terms), "--version", "1", *own)["version"] == 2
    terms.write_text('{"rules": {"rows": [{"off": 300}]}}')
    late = say("campaign", "terms", id_, str(terms), "--version", "1", *own, code=1)
    assert (late["reason"], late["facts"]["version"]) == ("CAMPAIGN_REVISED_SINCE", 2)
    assert say("pay", code, "--amount", "10", "--pin", "483915", "--as", phone, *at)["paid"] == 800
    found = say("campaign", "effects", id_, *own)
    assert (found["unit"], found["given"]) == ("shop_hour", 200)
    assert [(each["is_own"], each["given"]) for each in say("campaign", "takings", *shop)] == [(True, 200)]
    assert say("campaign", "end", id_, *own)["state"] == "ENDED"
    say("campaign", "sponsor", "街道", "--reference", "street", *at)
    say("campaign", "deposit", "street", "30", *at)
    assert [each["balance"] for each in say("campaign", "sponsors", *at) if each.get("reference")] == [3_000]
    terms.write_text('{"rules": {"rows": [{"off": 100, "when": {"segment": "\'old\'"}}]}, "by_joining": true}')
    asked = ("campaign", "create", "补贴", "--by", "street", "--budget", "10", "--terms", str(terms))
    programme = say(*asked, *at)["campaign_id"]
    say("campaign", "start", programme, *at)
    assert [each["joined"] for each in say("campaign", "programmes", *shop)] == [False]
    assert say("campaign", "join", programme, *shop)["joined"]
    assert not say("campaign", "leave", programme, *shop)["joined"]
    assert say("campaign", "segments", user, "old", "north", *at)["words"] == ["north", "old"]
    say("campaign", "end", programme, *at)
    _coupons_of_ones_own(say, own, (user, phone), code)
    capsys.readouterr()
    for words in (("effects", id_, *own), ("takings", *shop), ("programmes", *shop), ("sponsors", *at)):
        assert run(["campaign", *words]) == 0
    shown = capsys.readouterr().out
    assert "too few to say" in shown
    assert "早市, for each hour of a shop" in shown
    assert "早市" in shown


def _coupons_of_ones_own(say: Say, own: tuple[str, ...], whom: tuple[str, str], code: str) -> None:
    at, (user, phone) = own[-2:], whom
    campaign = ("campaign", "create", "常客", "--budget", "6", "--kind", "COUPON", "--held-out", "0", *own)
    campaign_id = say(*campaign)["campaign_id"]
    say("campaign", "start", campaign_id, *own)
    make = ("coupon", "create", "满5减2", "--campaign", campaign_id, "--stock", "10", "--off", "2", "--least", "5")
    more = ("--until", "2098-12-31", "--days", "0", "--hours", "00:00-00:00", "--priority", "3", "--spent")
    assert say(*make, "--hours", "9-5", *own, code=1)["reason"] == "COUPON_TERMS_UNREADABLE"
    made = say(*make, *more, *(each for day in range(1, 8) for each in ("--weekday", str(day))), *own)
    terms = made["terms"]
    assert terms["validity"]["weekdays"] == [1, 2, 3, 4, 5, 6, 7]
    assert terms["validity"]["hours"] == [{"from_minute": 0, "until_minute": 1440}]
    assert (terms["stacking"]["priority"], terms["on_refund"]) == (3, "BUDGET")
    sent = say("coupon", "send", made["template_id"], user, *at)["coupon_id"]
    assert [each["gives"] for each in say("coupon", "worth", code, "8", "--as", phone, *at)] == [200]
    assert [each["reason"] for each in say("coupon", "worth", code, "3", "--as", phone, *at)] == [
        "COUPON_BELOW_THRESHOLD"
    ]
    assert say("pay", code, "--amount", "8", "--pin", "483915", "--as", phone, *at)["paid"] == 600
    assert [each["coupon_id"] for each in say("coupon", "claims", made["template_id"], *own)["claims"]] == [sent]
    assert say("coupon", "batches", made["template_id"], *own) == []
    assert say("coupon", "pause", made["template_id"], *own)["state"] == "PAUSED"
    say("campaign", "end", campaign_id, *own)

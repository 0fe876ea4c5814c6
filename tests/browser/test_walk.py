"""
Every page, opened by everybody: nobody sees what is another's, nothing breaks, and no form is taken from elsewhere.

What one of a node's people can open, all the others ask for, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pytest

from hutong.web.assets import contents
from tests.browser.conftest import BrowserTown
from tests.browser.walk import Walker
from tests.network.street import PIN, Payer, Till, new_id

WEIGHT_MAX = 100_000
_numbers = count(20_000_000)
_opened: list[Walker] = []


@dataclass
class Crowd:
    """Everybody who walks, and what each must not see."""

    walkers: list[Walker]
    secrets: dict[str, set[str]]  # By whose they are.
    may_see: dict[str, set[str]]  # By walker: whose secrets are no secrets to them.

    def hidden_from(self, who: str) -> set[str]:
        shown = self.may_see[who]
        return set().union(*(found for whose, found in self.secrets.items() if whose not in shown))

    def at(self, node: str) -> list[Walker]:
        return [walker for walker in self.walkers if walker.node == node]


def _hired(town: BrowserTown, till: Till, role: str, name: str) -> tuple[str, str]:
    """A member's telephone and session."""
    phone = f"+86139{next(_numbers):08d}"
    told = {"staff_id": new_id("r"), "name": name, "phone": phone}
    operator = town.street.operator(till.node)
    if role == "OWNER":
        operator.post(f"/v1/operator/merchants/{till.merchant_id}/staff", told)
    else:
        till.post("/v1/staff", {**told, "role": role})
    code = operator.get(f"/v1/operator/one-time-codes/{phone}")["code"]
    chosen = {"phone": phone, "code": code, "pin": PIN, "device_id": new_id("dev")}
    token = str(town.street.stranger(till.node).post("/v1/staff/pin", chosen)["token"])
    return phone, token


def _phone(town: BrowserTown, payer: Payer) -> str:
    return str(town.street.operator(payer.node).get(f"/v1/operator/users/{payer.user_id}")["phone"])


@contextmanager
def opened_by_walkers() -> Iterator[None]:
    try:
        yield
    finally:
        while _opened:
            _opened.pop().http.close()


def _walker(town: BrowserTown, who: str, node: str) -> Walker:
    _opened.append(Walker.at(who, node, town.url(node)))
    return _opened[-1]


def _signed_in(town: BrowserTown, who: str, node: str, realm: str, token: str) -> Walker:
    """Who signed in over the API, with what their browser would keep of it."""
    walker = _walker(town, who, node)
    walker.http.cookies.set(f"{realm}-{node}", token)
    return walker


def _operator(town: BrowserTown, who: str, node: str, token: str) -> Walker:
    walker = _walker(town, who, node)
    walker.submit("/desk/sign-in", "/desk/sign-in", token=token)
    return walker


def _viewer(town: BrowserTown, node: str) -> str:
    name = f"viewer-{next(_numbers)}"
    return str(town.street.operator(node).put(f"/v1/operators/{name}", {"role": "VIEWER"})["token"])


@pytest.fixture(scope="module")
def crowd(town: BrowserTown) -> Iterator[Crowd]:
    street = town.street
    ann, bob = street.payer("wei", 50_000, pin=True), street.payer("wei", 50_000, pin=True)
    mine, other = street.till("wei"), street.till("wei")
    staff = {role: _hired(town, mine, role, f"某{role}") for role in ("OWNER", "CASHIER", "MANAGER", "ACCOUNTANT")}
    owner = _hired(town, other, "OWNER", "别家店主")
    paid = ann.pay(mine.plate, 1_234)["payment_id"], bob.pay(other.plate, 4_321)["payment_id"]
    mine.refund(paid[0], 34)
    secrets = {
        "ann": {ann.user_id, _phone(town, ann), ann.device_id},
        "bob": {bob.user_id, _phone(town, bob), bob.device_id},
        "ann's payment": {paid[0]},
        "bob's payment": {paid[1]},
        "mine": {mine.merchant_id, *(phone for phone, _ in staff.values())},
        "other": {other.merchant_id, owner[0]},
        "tokens": {town.operator_token(node) for node in ("switch", "jing", "wei")} | {ann.token, mine.token, owner[1]},
    }
    shop, everything = {"mine", "ann's payment"}, secrets.keys() - {"tokens"}
    with opened_by_walkers():
        walkers = {
            "stranger": (_walker(town, "stranger", "wei"), set[str]()),
            "ann": (_signed_in(town, "ann", "wei", "wallet", ann.token), {"ann", "ann's payment"}),
            "bob": (_signed_in(town, "bob", "wei", "wallet", bob.token), {"bob", "bob's payment"}),
            **{role: (_signed_in(town, role, "wei", "staff", token), shop) for role, (_, token) in staff.items()},
            "other owner": (_signed_in(town, "other owner", "wei", "staff", owner[1]), {"other", "bob's payment"}),
            "operator": (_operator(town, "operator", "wei", town.operator_token("wei")), everything),
            "viewer": (_operator(town, "viewer", "wei", _viewer(town, "wei")), everything),
            "stranger at jing": (_walker(town, "stranger at jing", "jing"), set()),
            "operator of jing": (_operator(town, "operator of jing", "jing", town.operator_token("jing")), set()),
            "stranger at the switch": (_walker(town, "stranger at the switch", "switch"), set()),
            "operator of the switch": (
                _operator(town, "operator of the switch", "switch", town.operator_token("switch")),
                {"ann's payment", "bob's payment"},
            ),
        }
        for walker, _ in walkers.values():
            walker.walk("/", "/wallet", "/till", "/console", "/desk")
        yield Crowd(
            [walker for walker, _ in walkers.values()], secrets, {who: shown for who, (_, shown) in walkers.items()}
        )


def test_everybody_sees_pages_and_none_breaks(crowd: Crowd) -> None:
    broken = {
        (walker.who, page.path, page.status)
        for walker in crowd.walkers
        for page in walker.seen.values()
        if page.status >= 500
    }
    assert not broken
    unfinished = {
        (walker.who, page.path)
        for walker in crowd.walkers
        for page in walker.seen.values()
        if page.kind == "text/html" and (" object at 0x" in page.text or "%(" in page.text)
    }
    assert not unfinished
    # Those who are signed in were led to pages of their own, or nothing was tested.
    for walker in crowd.walkers:
        assert len(walker.seen) > 3, walker.who


def test_nobody_sees_what_is_anothers(crowd: Crowd) -> None:
    leaks = {
        (walker.who, page.path, secret)
        for walker in crowd.walkers
        for page in walker.seen.values()
        for secret in crowd.hidden_from(walker.who)
        if secret in page.text or secret in page.path
    }
    assert not leaks


def test_nobody_opens_what_another_was_led_to(crowd: Crowd) -> None:
    wrong = set()
    for node in ("wei", "jing", "switch"):
        paths = {path for walker in crowd.at(node) for path in walker.seen}
        for walker in crowd.at(node):
            hidden = crowd.hidden_from(walker.who)
            for path in sorted(paths - walker.seen.keys()):
                page = walker.open(path)
                told = {secret for secret in hidden if secret in page.text and secret not in path}
                if page.status >= 500 or told:
                    wrong.add((walker.who, path, page.status, *told))
    assert not wrong


def test_a_form_that_no_page_of_ours_sent_is_refused(crowd: Crowd) -> None:
    taken = set()
    for node in ("wei", "jing", "switch"):
        actions = set[str]().union(*(walker.sends for walker in crowd.at(node)))
        assert actions, node
        for walker in crowd.at(node):
            for action in sorted(actions):
                answer = walker.send_nothing(action)
                onward = answer.headers.get("location", "")
                is_refused = answer.status_code in {400, 401, 403, 404, 405} or "/sign-in" in onward
                if not is_refused:
                    taken.add((walker.who, action, answer.status_code, onward))
    assert not taken


def test_no_page_is_heavy(crowd: Crowd) -> None:
    """Of own script and style, as it is served; what a script imports counts."""
    heavy = {}
    for walker in crowd.walkers:
        for path, parts in walker.parts.items():
            weight = sum(len(contents()[name]) for name in _with_imports(parts))
            if weight > WEIGHT_MAX:
                heavy[path] = weight
    assert not heavy


def _with_imports(parts: set[str]) -> set[str]:
    found: set[str] = set()
    names = [part.rpartition("/")[2] for part in parts if part.startswith("/static/")]
    while names:
        name = names.pop()
        if name in found or name not in contents():
            continue
        found.add(name)
        if name.endswith(".js"):
            text = contents()[name].decode()
            names += [piece.split('"')[0] for piece in text.split('"./')[1:]]
    return found

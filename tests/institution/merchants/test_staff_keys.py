from collections.abc import Callable
from functools import partial

import pytest

from hutong.institution.key_token import KeyTokens
from hutong.institution.merchants.repository import STAFF_KEYS
from hutong.institution.merchants.staff_key import RIGHTS, Right, Role, StaffKey
from hutong.kernel.ids import id_text
from tests.institution.merchants.shop_street import ShopStreet, corner, draft, refusal_of


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


def key_for(street: ShopStreet, owner: StaffKey, role: Role, shop_id: int = 0) -> StaffKey:
    key, _ = street.do(lambda: street.merchants.issue_key(owner, role, "colleague", shop_id))
    return key


def test_a_token_finds_its_key_also_after_a_restart_and_is_kept_nowhere(street: ShopStreet) -> None:
    owner = street.owner()
    key, token = street.do(lambda: street.merchants.issue_key(owner, Role.CASHIER, "till 1", 0))
    assert token.startswith("sk_")
    for _ in range(2):
        assert street.do(lambda: street.merchants.key(token)) == key
    street.restart()
    assert street.do(lambda: street.merchants.key(token)) == key
    secret = token.rpartition("_")[2]
    assert secret not in str(street.store.rows[STAFF_KEYS.name])


def test_no_other_token_finds_a_key(street: ShopStreet) -> None:
    owner = street.owner()
    key, token = street.do(lambda: street.merchants.issue_key(owner, Role.CASHIER, "till 1", 0))
    flipped = "A" if token[-1] != "A" else "B"
    unknown = f"{id_text('sk', key.id + 256)}_{token.rpartition('_')[2]}"
    for wrong in (
        token[:-1] + flipped,
        token[:-1],
        token + "A",
        "",
        "sk_",
        "x" * len(token),
        token.replace("sk_", "tk_"),
        token.lower(),
        unknown,
        "é" * len(token),
        "\0" * len(token),
    ):
        assert street.no(street.merchants.key, wrong).reason.name == "KEY_NOT_ACCEPTED", wrong


def test_another_node_s_pepper_makes_every_token_worthless(street: ShopStreet) -> None:
    owner = street.owner()
    _, token = street.do(lambda: street.merchants.issue_key(owner, Role.CASHIER, "till 1", 0))
    street.merchants._tokens = KeyTokens(b"another pepper, of sixteen bytes or more", "sk", "staff key")
    assert street.no(street.merchants.key, token).reason.name == "KEY_NOT_ACCEPTED"


def test_a_rotated_key_has_a_new_token_and_the_old_one_is_no_good(street: ShopStreet) -> None:
    owner = street.owner()
    key, old = street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0))
    street.do(lambda: street.merchants.key(old))  # So that it is among the verified.
    street.clock.advance(seconds=5)
    rotated, new = street.do(lambda: street.merchants.rotate_key(owner, key.id))
    assert rotated.rotated_ns > key.rotated_ns
    assert street.do(lambda: street.merchants.key(new)) == rotated
    assert street.no(street.merchants.key, old).reason.name == "KEY_NOT_ACCEPTED"


def test_a_key_asked_for_again_under_its_callers_id_is_the_same_key_with_its_token(street: ShopStreet) -> None:
    owner = street.owner()
    issued = street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1"))
    assert street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1")) == issued
    assert street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-2"))[0].id != issued[0].id
    for role, name, shop_id, field in ((Role.OWNER, "books", 0, "role"), (Role.READER, "else", 0, "name")):
        refused = street.no(street.merchants.issue_key, owner, role, name, shop_id, "b-1")
        assert (refused.reason.name, refused.facts["field"]) == ("STAFF_KEY_TAKEN", field)
    street.restart()
    assert street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1")) == issued
    street.clock.advance(seconds=600)
    assert street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1")) == (issued[0], "")
    assert street.do(lambda: street.merchants.key(issued[1])) == issued[0]


def test_the_same_callers_id_at_two_merchants_makes_two_keys(street: ShopStreet) -> None:
    tokens = {
        street.do(lambda: street.merchants.issue_owner_key(owner.merchant_id, "owner", "first"))[1]  # noqa: B023
        for owner in (street.owner(), street.owner(reference="M-2"))
    }
    assert len(tokens) == 2


def test_a_rotation_asked_for_again_shows_the_same_token_and_a_late_repeat_of_an_earlier_one_revives_nothing(
    street: ShopStreet,
) -> None:
    owner = street.owner()
    key, _ = street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1"))
    dead: list[str] = []
    for rotation_id in ("r-1", "r-2", "r-1", ""):
        street.clock.advance(seconds=1)
        rotated, token = street.do(lambda: street.merchants.rotate_key(owner, key.id, rotation_id))  # noqa: B023
        if rotation_id:
            again = street.do(lambda: street.merchants.rotate_key(owner, key.id, rotation_id))  # noqa: B023
            assert again == (rotated, token)
        for old in dead:
            assert street.no(street.merchants.key, old).reason.name == "KEY_NOT_ACCEPTED"
        assert street.do(lambda: street.merchants.key(token)) == rotated  # noqa: B023
        dead.append(token)
    # What was rotated without an id can be shown by nobody, however the key is asked for.
    assert street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0, "b-1")) == (rotated, "")


def test_a_revoked_key_is_no_good_at_once_and_for_good(street: ShopStreet) -> None:
    owner = street.owner()
    key, token = street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0))
    street.do(lambda: street.merchants.key(token))
    revoked = street.do(lambda: street.merchants.revoke_key(owner, key.id))
    assert street.do(lambda: street.merchants.revoke_key(owner, key.id)) == revoked
    assert street.no(street.merchants.key, token).reason.name == "KEY_REVOKED"
    assert street.no(street.merchants.rotate_key, owner, key.id).reason.name == "KEY_REVOKED"
    street.restart()
    assert street.no(street.merchants.key, token).reason.name == "KEY_REVOKED"


def test_the_verified_tokens_kept_are_bounded(street: ShopStreet) -> None:
    owner = street.owner()
    verified = street.merchants._tokens._verified
    verified |= {f"token {number}": (number, b"") for number in range(10_000)}
    _, token = street.do(lambda: street.merchants.issue_key(owner, Role.READER, "books", 0))
    street.do(lambda: street.merchants.key(token))
    assert len(verified) == 10_000
    assert token in verified
    assert "token 0" not in verified


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {Right.READ, Right.CHARGE, Right.REFUND, Right.BOOKS, Right.MANAGE}),
        (Role.MANAGER, {Right.READ, Right.CHARGE, Right.REFUND}),
        (Role.CASHIER, {Right.READ, Right.CHARGE}),
        (Role.ACCOUNTANT, {Right.READ, Right.BOOKS}),
        (Role.READER, {Right.READ}),
    ],
)
def test_a_role_may_what_the_table_says_and_nothing_else(street: ShopStreet, role: Role, may: set[Right]) -> None:
    assert RIGHTS[role] == may
    key = key_for(street, street.owner(), role)
    for right in Right:
        if right in may:
            key.check_right(right)
        else:
            assert refusal_of(lambda: key.check_right(right)).reason.name == "ROLE_MAY_NOT"  # noqa: B023


def test_every_verb_asks_for_its_right(street: ShopStreet) -> None:
    owner = street.owner()
    reader, cashier = key_for(street, owner, Role.READER), key_for(street, owner, Role.CASHIER)
    merchants, plates, requests = street.merchants, street.plates, street.requests
    shop = street.do(lambda: merchants.open_shop(owner, corner()))
    plate = street.do(lambda: plates.hang(owner, "table 1"))
    request = street.do(lambda: requests.create(cashier, draft()))
    managing: list[Callable[..., object]] = [
        partial(merchants.open_shop, profile=corner(reference="S-2")),
        partial(merchants.close_shop, shop_id=shop.id),
        partial(merchants.issue_key, role=Role.READER, name="x", shop_id=0),
        partial(merchants.rotate_key, key_id=owner.id),
        partial(merchants.revoke_key, key_id=owner.id),
        partial(merchants.keys),
        partial(plates.hang, reference="table 2"),
        partial(plates.replace, plate_id=plate.id, reference="table 2"),
        partial(plates.take_down, plate_id=plate.id),
    ]
    for verb in managing:
        assert street.no(verb, cashier).reason.name == "ROLE_MAY_NOT"
        assert street.no(verb, reader).reason.name == "ROLE_MAY_NOT"
    assert street.no(requests.create, reader, draft(reference="order-2")).reason.name == "ROLE_MAY_NOT"
    assert street.no(requests.cancel, reader, request.id).reason.name == "ROLE_MAY_NOT"
    assert street.do(lambda: requests.get(reader, request.id)) == request
    assert street.do(lambda: requests.cancel(cashier, request.id)).state == "CANCELLED"

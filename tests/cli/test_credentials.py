"""Who is signed in here: kept for one pair of eyes, and never guessed."""

from pathlib import Path

import pytest

from hutong.app.wallet import Phone
from hutong.cli.credentials import Credential, Credentials, CredentialsReason
from hutong.kernel.errors import Refusal

LI = Credential(node="jing", name="李雷", role="user", token="t1", phone="13800000001", device=Phone(device_id="dev_1"))
HAN = Credential(node="zhi", name="韩梅梅", role="user", token="t2", phone="13800000002")
SHOP = Credential(node="wei", name="面馆", role="merchant", token="sk_1")


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    kept = Credentials(tmp_path / "data")
    for each in (LI, HAN, SHOP):
        kept.keep(each)
    return kept


def test_the_file_is_its_owners_alone(credentials: Credentials, tmp_path: Path) -> None:
    assert [file.stat().st_mode & 0o777 for file in (tmp_path / "data").iterdir()] == [0o600]
    assert credentials.all() == [LI, HAN, SHOP]


def test_a_newer_token_takes_the_place_of_the_old_one(credentials: Credentials) -> None:
    newer = Credential(node="jing", name="李雷", role="user", token="t3", phone="13800000001")
    credentials.keep(newer)
    assert credentials.find("user", node="jing") == newer
    assert len(credentials.all()) == 3


@pytest.mark.parametrize("who", ["韩梅梅", "13800000002", "0002"])
def test_somebody_is_found_by_name_by_phone_or_by_its_end(credentials: Credentials, who: str) -> None:
    assert credentials.find("user", who=who) == HAN


def test_the_only_one_of_a_role_is_meant(credentials: Credentials) -> None:
    assert credentials.find("merchant") == SHOP
    assert credentials.find("user", node="jing") == LI


@pytest.mark.parametrize(
    ("role", "node", "who", "reason"),
    [
        ("user", "", "", CredentialsReason.WHO_IS_MEANT),
        ("user", "", "138", CredentialsReason.NOT_SIGNED_IN),
        ("user", "wei", "", CredentialsReason.NOT_SIGNED_IN),
        ("operator", "", "", CredentialsReason.NOT_SIGNED_IN),
    ],
)
def test_nobody_is_guessed(credentials: Credentials, role: str, node: str, who: str, reason: CredentialsReason) -> None:
    with pytest.raises(Refusal) as refused:
        credentials.find(role, node=node, who=who)
    assert refused.value.reason is reason


def test_a_token_is_not_shown_by_accident() -> None:
    assert "t1" not in repr(LI)


def test_a_spoilt_file_is_said(credentials: Credentials, tmp_path: Path) -> None:
    (tmp_path / "data" / "credentials.json").write_text("{")
    with pytest.raises(Refusal) as refused:
        credentials.all()
    assert refused.value.reason is CredentialsReason.CREDENTIALS_UNREADABLE

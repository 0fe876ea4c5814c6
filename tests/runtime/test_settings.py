"""Settings are read once, and what is not understood is refused by name."""

import os
from pathlib import Path

import pytest

from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.address import AddressReason
from hutong.runtime.settings import Settings, SettingsReason

UNKNOWN, MALFORMED = SettingsReason.SETTING_UNKNOWN, SettingsReason.SETTING_MALFORMED


def test_nothing_set_is_a_network_on_this_machine() -> None:
    settings = Settings.from_environ({"HOME": "/somewhere"})
    assert settings.host == "127.0.0.1"
    assert settings.ports == {"switch": 8100, "jing": 8101, "wei": 8102, "zhi": 8103, "yun": 8104}
    assert settings.database is None
    expected = "/var/lib/hutong" if os.geteuid() == 0 else "/somewhere/.local/share/hutong"
    assert settings.data_directory == Path(expected)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "hutong.toml"
    config.write_text('host = "0.0.0.0"\ndata_directory = "data"\n[ports]\njing = 9001\nlan = 9002\n')
    environ = {"HUTONG_CONFIG": str(config), "HUTONG_HOST": "::1", "HUTONG_PORT_LAN": "9003", "PG_BIN": "/opt/pg/bin"}
    settings = Settings.from_environ(environ)
    assert settings.host == "::1"
    assert settings.data_directory == tmp_path / "data"
    assert (settings.ports["switch"], settings.ports["jing"], settings.ports["lan"]) == (8100, 9001, 9003)
    assert settings.pg_bin == Path("/opt/pg/bin")


def test_a_database_url_is_read_and_its_password_not_shown() -> None:
    settings = Settings.from_environ({"HUTONG_DATABASE_URL": "postgresql://hutong:s3cret@db.example:6432/pay"})
    assert settings.database is not None
    assert (settings.database.host, settings.database.port, settings.database.tls) == (
        "db.example",
        6432,
        "verify-full",
    )
    assert settings.database.password == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "toml", "reason", "setting"),
    [
        ({"HUTONG_HOTS": "x"}, "", UNKNOWN, "hots"),
        ({}, "hots = 1", UNKNOWN, "hots"),
        ({}, "host = 1", MALFORMED, "host"),
        ({"HUTONG_HOST": ""}, "", MALFORMED, "host"),
        ({}, "ports = 1", MALFORMED, "ports"),
        ({}, "[ports]\njing = true", MALFORMED, "ports.jing"),
        ({}, "[ports]\njing = 65536", MALFORMED, "ports.jing"),
        ({"HUTONG_PORT_JING": "-1"}, "", MALFORMED, "HUTONG_PORT_JING"),
        ({"HUTONG_PORT_JING": "８１０１"}, "", MALFORMED, "HUTONG_PORT_JING"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    tmp_path: Path, environ: dict[str, str], toml: str, reason: Reason, setting: str
) -> None:
    (tmp_path / "hutong.toml").write_text(toml)
    with pytest.raises(Refusal) as refused:
        Settings.from_environ({"HUTONG_CONFIG": str(tmp_path / "hutong.toml"), **environ})
    assert refused.value.reason is reason
    assert refused.value.facts["setting"] == setting
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"host = ", b"host = '\xff'", None])
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "hutong.toml").write_bytes(content)
    with pytest.raises(Refusal) as refused:
        Settings.from_environ({"HUTONG_CONFIG": str(tmp_path / "hutong.toml")})
    assert refused.value.reason is SettingsReason.SETTINGS_UNREADABLE


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mysql://a@b/c", "scheme"),
        ("postgresql://host/db", "user"),
        ("postgresql://u:secret@host", "database"),
        ("postgresql://u:secret@host:port/db", "host or port"),
        ("postgresql://u:secret@host/db?sslmode=prefer", "sslmode"),
        ("postgresql://u:secret@host/db?ssl=1", "option"),
    ],
)
def test_a_malformed_database_url_names_the_part_and_not_the_password(url: str, part: str) -> None:
    with pytest.raises(Refusal) as refused:
        Settings.from_environ({"HUTONG_DATABASE_URL": url})
    assert refused.value.reason is AddressReason.DATABASE_URL_MALFORMED
    assert refused.value.facts["part"] == part
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("how", ["file", "credential", "environment"])
def test_the_key_of_the_secrets_comes_from_outside_the_data(tmp_path: Path, how: str) -> None:
    file = tmp_path / "hutong-secrets-key"
    file.write_text("5a" * 32 + "\n")
    file.chmod(0o600)
    told = {
        "file": {"HUTONG_SECRETS_KEY_FILE": str(file)},
        "credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)},
        "environment": {"HUTONG_SECRETS_KEY": "5a" * 32},
    }
    settings = Settings.from_environ({"HUTONG_DATA_DIRECTORY": str(tmp_path / "data"), **told[how]})
    assert settings.secrets_key == "5a" * 32
    assert "5a5a" not in repr(settings)


@pytest.mark.parametrize("wrong", ["missing", "open to others", "beside what it opens", "empty"])
def test_a_key_that_guards_nothing_is_refused(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / ("data/key" if wrong == "beside what it opens" else "key")
    file.parent.mkdir(exist_ok=True)
    if wrong != "missing":
        file.write_text("" if wrong == "empty" else "5a" * 32)
        file.chmod(0o644 if wrong == "open to others" else 0o600)
    told = {"HUTONG_DATA_DIRECTORY": str(tmp_path / "data"), "HUTONG_SECRETS_KEY_FILE": str(file)}
    with pytest.raises(Refusal, match="SETTING_MALFORMED") as refused:
        Settings.from_environ(told)
    assert "5a5a" not in str(refused.value)


def test_without_a_credential_of_ours_there_is_no_key(tmp_path: Path) -> None:
    assert Settings.from_environ({"HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path)}).secrets_key == ""


def test_proxies_are_addresses_and_networks() -> None:
    settings = Settings.from_environ({"HOME": "/x", "HUTONG_TRUSTED_PROXIES": "10.0.0.7, 2001:db8::/32"})
    assert settings.trusted_proxies == ("10.0.0.7", "2001:db8::/32")
    with pytest.raises(Refusal, match="SETTING_MALFORMED"):
        Settings.from_environ({"HOME": "/x", "HUTONG_TRUSTED_PROXIES": "proxy.example"})

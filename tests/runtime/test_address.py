"""Database URLs: one reading for every client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.runtime.address import Address, parse_address

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(WORDS, WORDS, WORDS, st.integers(1, 65535))
def test_an_address_survives_its_url(user: str, password: str, database: str, port: int) -> None:
    for host in ("db.example", "/var/run/post gresql", "10.0.0.1", "::1"):
        address = Address(host, port, user, database, password, "require")
        assert parse_address(address.url) == address


@pytest.mark.parametrize(
    ("url", "host", "tls"),
    [
        ("postgresql://u@/db?host=/run/pg", "/run/pg", "disable"),
        ("postgres://u@%2Frun%2Fpg/db", "/run/pg", "disable"),
        ("postgresql://u@localhost/db", "localhost", "disable"),
        ("postgresql://u@[::1]/db", "::1", "disable"),
        ("postgresql://u@db.example/db", "db.example", "verify-full"),
        ("postgresql://u@db.example/db?sslmode=disable", "db.example", "disable"),
        ("postgresql://u@localhost/db?sslmode=require", "localhost", "require"),
    ],
)
def test_tls_is_the_rule_away_from_this_machine(url: str, host: str, tls: str) -> None:
    address = parse_address(url)
    assert (address.host, address.tls) == (host, tls)
    assert (address.tls_context() is None) == (tls == "disable")

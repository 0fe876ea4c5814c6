"""The register names every table that tells of people: one that is added and forgotten here would never be erased."""

import importlib
import pkgutil
from itertools import chain

import hutong.gateways
import hutong.institution
import hutong.marketing
from hutong.institution.erasure.register import REGISTER
from hutong.institution.erasure.retained_identity import kept_until_ns, shipped_retention
from hutong.kernel.clock import NS_PER_DAY
from hutong.runtime.tables import Table

_PEOPLE = {"user_id", "owner_id", "payer_user_id", "payee_user_id", "inviter_id", "friend_id", "person_id"}
# No names in these, and ids alone are no news to who holds nothing else.
_NAMELESS = {
    ("payment_code_claims", "user_id"),
    ("webhook_endpoints", "owner_id"),
    ("retained_identities", "user_id"),
    ("staff_pins", "user_id"),
}


def tables() -> list[Table[object]]:  # type: ignore[type-var]
    found = {}
    packages = (hutong.institution, hutong.gateways, hutong.marketing)
    for module in chain.from_iterable(pkgutil.walk_packages(each.__path__, f"{each.__name__}.") for each in packages):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Table):
                found[value.name] = value
    return list(found.values())


def test_every_column_that_names_a_person_is_in_the_register() -> None:
    known = {(holding.table, holding.column) for holding in REGISTER} | _NAMELESS
    named = {(table.name, column.name) for table in tables() for column in table.columns if column.name in _PEOPLE}
    assert len(named) > 10
    assert named - known == set()


def test_what_is_blanked_is_there() -> None:
    columns = {(table.name, column.name) for table in tables() for column in table.columns}
    for holding in REGISTER:
        for name in {holding.column, *holding.blanked, *holding.secret}:
            assert (holding.table, name) in columns


def test_the_law_s_ten_years_are_counted_from_the_end_of_the_relation() -> None:
    policy = shipped_retention()
    assert policy.because
    assert kept_until_ns(policy, 0) >= (10 * 365 + 2) * NS_PER_DAY

"""A grant is good for one application, for one thing, for a time; a code once."""

import msgspec
import pytest

from hutong.gateways.alipay.grant import GRANTS, GrantKind, grant_id, new_grant
from hutong.kernel.clock import NS_PER_S
from hutong.runtime.migrations import all_migrations

APPLICATION, OTHER, PERSON, NOW = 1, 2, 3, 10**18


def test_the_table_says_its_columns_in_their_order() -> None:
    sql = "\n".join(migration.sql for migration in all_migrations(["institution"]))
    declared = sql.split(f"CREATE TABLE {GRANTS.name} (\n")[1].split("\n);")[0].splitlines()
    said = [line.rstrip(",").split()[:2] for line in declared]
    assert said == [["position", "bigint"]] + [[column.name, column.type.sql] for column in GRANTS.columns]


@pytest.mark.parametrize("kind", [*GrantKind])
def test_a_grant_is_good_for_what_it_says_alone(kind: GrantKind) -> None:
    grant = new_grant(kind, "token", account_id=APPLICATION, subject_id=PERSON, scope="", now_ns=NOW)
    assert grant.id == grant_id("token") != grant_id("Token")
    assert grant.is_good(kind, APPLICATION, NOW)
    assert not grant.is_good(kind, OTHER, NOW)
    assert not any(grant.is_good(other, APPLICATION, NOW) for other in GrantKind if other is not kind)
    ends_ns = NOW + kind.life_s * NS_PER_S
    assert grant.is_good(kind, APPLICATION, ends_ns - 1)
    assert not grant.is_good(kind, APPLICATION, ends_ns)
    assert not msgspec.structs.replace(grant, used_ns=NOW).is_good(kind, APPLICATION, NOW)

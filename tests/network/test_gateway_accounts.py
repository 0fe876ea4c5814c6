"""Accounts at the gateways over a node's API, and programs that call it by the vendors' names."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hutong
from hutong.gateways import keys
from tests.network.street import Client, Street, new_id

PUBLIC_KEY = keys.public_pem(keys.new_key().public_key())
ACCOUNTS = "/v1/gateway-accounts"


def wanted(kind: str = "wechatpay", **more: Any) -> dict[str, Any]:
    return {"account_id": new_id("gwa"), "kind": kind, "name": "web", "public_key": PUBLIC_KEY} | more


@pytest.fixture
def owner(street: Street) -> Client:
    return street.till("wei")


@pytest.mark.parametrize("kind", ["wechatpay", "alipay"])
def test_an_owner_makes_changes_and_removes_an_account(owner: Client, kind: str) -> None:
    body = wanted(kind)
    made = owner.post(ACCOUNTS, body)
    account = made["account"]
    assert owner.post(ACCOUNTS, body) == made
    assert [each["number"] for each in owner.get(ACCOUNTS)] == [account["number"]]
    path = f"{ACCOUNTS}/{account['account_id']}"
    assert owner.get(path) == account
    assert owner.get(f"{path}/platform") == made["platform"]
    renewed = owner.post(f"{path}/secrets")
    assert renewed["secrets"] != made["secrets"]
    other = keys.public_pem(keys.new_key().public_key())
    added = owner.post(f"{path}/keys", {"public_key": other})["keys"]
    assert len(added) == (2 if kind == "wechatpay" else 1)
    assert owner.put(path, {"partners": ["1600000001"]})["partners"] == ["1600000001"]
    assert owner.post(f"{path}/remove")["state"] == "REMOVED"
    assert owner.get(ACCOUNTS) == []


def test_nobody_sees_anothers_account(street: Street, owner: Client) -> None:
    account = owner.post(ACCOUNTS, wanted())["account"]["account_id"]
    other = street.till("wei")
    assert other.refused(f"{ACCOUNTS}/{account}", method="GET")["reason"] == "ACCOUNT_UNKNOWN"
    assert other.refused(f"{ACCOUNTS}/{account}/secrets")["reason"] == "ACCOUNT_UNKNOWN"
    assert other.get(ACCOUNTS) == []


def test_a_cashier_may_not_let_software_in(owner: Client) -> None:
    issued = owner.post("/v1/keys", {"name": "till", "role": "CASHIER"})
    cashier = Client(owner.url, issued["token"])
    try:
        assert cashier.refused(ACCOUNTS, wanted())["reason"] == "ROLE_MAY_NOT"
    finally:
        cashier.http.close()


def everything_noted(operator: Client) -> list[dict[str, Any]]:
    """The audit log, page by page: others have written in it, too, and each look at it is one more entry."""
    found: list[dict[str, Any]] = []
    while True:
        page = operator.get(f"/v1/audit-log?after={len(found)}&limit=200")["entries"]
        found += page
        if len(page) < 200:
            return found


def test_an_operator_does_it_too_and_it_is_noted(street: Street, owner: Client) -> None:
    operator = street.operator("wei")
    path = f"/v1/operator/merchants/{owner.get('/v1/merchant')['merchant_id']}/gateway-accounts"
    before_us = len(everything_noted(operator))
    made = operator.post(path, wanted())
    assert [each["number"] for each in operator.get(path)] == [made["account"]["number"]]
    before = made["platform"]["serial"]
    assert operator.post("/v1/operator/gateway-keys/WECHATPAY_CERTIFICATE/renew")["serial"] != before
    assert operator.refused("/v1/operator/gateway-keys/NONE/renew")["reason"] == "FIELD_INVALID"
    noted = json.dumps(everything_noted(operator)[before_us:])
    assert "gateway-accounts" in noted
    assert made["secrets"]["api_v3_key"] not in noted


CALL = """
import sys, urllib.request
for name in ("api.mch.weixin.qq.com", "openapi.alipay.com"):
    with urllib.request.urlopen(f"https://{name}/health/ready", timeout=60) as answer:
        assert b"ready" in answer.read()
sys.exit(7)
"""


def test_a_program_calls_the_vendors_names_and_its_exit_code_comes_back(street: Street, tmp_path: Path) -> None:
    ports = {f"HUTONG_PORT_{node.upper()}": door.url.rpartition(":")[2] for node, door in street.doors.items()}
    environ = (
        os.environ
        | ports
        | {"HUTONG_DATA_DIRECTORY": str(tmp_path), "PYTHONPATH": str(Path(hutong.__file__).parents[1])}
    )
    command = [sys.executable, "-m", "hutong", "gateway", "run", "--", sys.executable, "-c", CALL]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=250)
    if "NAMESPACES_FORBIDDEN" in done.stderr:
        pytest.skip(f"waits for a machine that allows namespaces: {done.stderr.strip()}")
    assert done.returncode == 7, done.stderr
    assert "weixin" not in Path("/etc/hosts").read_text(encoding="utf-8")

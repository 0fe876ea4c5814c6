"""Metrics and readiness of nodes that work: told to who may look, and what they say is what happened."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hutong.app.metrics import ALL_METRICS
from tests.network.street import NO_TLS, Client, Street


def scraped(street: Street, node: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = street.operator(node).ask("GET", "/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


def test_a_payment_is_counted_where_it_passed(street: Street) -> None:
    payer, till = street.payer("jing", 10_000), street.till("wei")
    before = {node: scraped(street, node) for node in ("jing", "wei", "switch")}
    payment = payer.pay(till.plate, 5_000)
    till.refund(payment["payment_id"], 1_000)
    payer.refused("/v1/payments", payer.order(payer.quote(till.plate, 99_000), 99_000))
    after = {node: scraped(street, node) for node in ("jing", "wei", "switch")}

    def grew(at: str, name: str, **labels: str) -> float:
        return value(after[at], name, **labels) - value(before[at], name, **labels)

    assert grew("jing", "hutong_payments_total", kind="payment", outcome="COMPLETED", reason="") == 1
    assert grew("jing", "hutong_payment_seconds_count", kind="payment") >= 1
    assert grew("wei", "hutong_payments_total", kind="receipt", outcome="COMPLETED", reason="") == 1
    assert grew("wei", "hutong_payments_total", kind="refund", outcome="COMPLETED", reason="") == 1
    assert grew("jing", "hutong_payments_total", kind="return", outcome="COMPLETED", reason="") == 1
    assert grew("switch", "hutong_switch_cleared_total", outcome="COMPLETED", reason="") == 2
    assert grew("switch", "hutong_switch_clearing_seconds_count") == 2
    assert grew("jing", "hutong_journal_commits_total") > 0
    assert grew("jing", "hutong_journal_rows_total") >= grew("jing", "hutong_journal_commits_total")
    assert grew("jing", "hutong_journal_commit_rows_count") == grew("jing", "hutong_journal_commits_total")
    assert grew("jing", "hutong_http_hot_requests_total", status="200") >= 1
    assert grew("jing", "hutong_http_requests_total", group="/v1/codes", status="200") >= 1
    position = {"node": "jing", "currency": "CNY"}
    assert grew("switch", "hutong_switch_position_minor", **position) == -4_000
    assert value(after["switch"], "hutong_switch_cap_minor", **position) > 0
    assert value(after["switch"], "hutong_switch_books_balanced", currency="CNY") == 1


def test_each_declared_metric_has_a_name_of_its_own_and_is_told(street: Street) -> None:
    names = [metric.name for metric in ALL_METRICS]
    assert len(set(names)) == len(names)
    told = {name for node in ("switch", "jing") for name, _ in scraped(street, node)}
    absent = {
        metric.name
        for metric in ALL_METRICS
        if not any(name.removesuffix("_bucket") == metric.name or name == metric.name for name in told)
    }
    # Nobody enquired too often, and nodes of one process have no links.
    assert absent <= {
        "hutong_switch_enquiries_dropped_total",
        "hutong_link_waiting",
        "hutong_link_messages_total",
        "hutong_link_failures_total",
    }


def test_strangers_and_payers_see_no_metrics(street: Street) -> None:
    assert street.stranger("jing").ask("GET", "/v1/metrics").status_code == 401
    assert street.payer("jing").ask("GET", "/v1/metrics").status_code == 401


@pytest.mark.parametrize(("node", "noted_looks"), [("jing", 1), ("switch", 0)])
def test_a_viewer_may_scrape_and_no_scrape_is_noted(street: Street, node: str, noted_looks: int) -> None:
    token = street.operator(node).put("/v1/operators/prometheus", {"role": "VIEWER"})["token"]
    viewer = Client(street.doors[node].url, token)
    noted = street.operator(node).get("/v1/audit-log/head")["number"]
    assert viewer.ask("GET", "/v1/metrics").status_code == 200
    assert street.operator(node).get("/v1/audit-log/head")["number"] == noted + noted_looks
    assert viewer.ask("PUT", "/v1/operators/other", {"role": "VIEWER"}).status_code == 403
    viewer.http.close()


@pytest.mark.parametrize("node", ["jing", "switch"])
def test_a_node_that_works_is_ready_and_says_why(street: Street, node: str) -> None:
    assert (
        httpx.get(f"{street.doors[node].url}/health/live", trust_env=False, verify=NO_TLS).json()["status"] == "alive"
    )
    ready = httpx.get(f"{street.doors[node].url}/health/ready", trust_env=False, verify=NO_TLS)
    assert ready.status_code == 200
    assert ready.json()["checks"] == dict.fromkeys(("journal", "lead", "database", "peers", "draining"), "ok")

"""What operators see of payments that are undecided, and of one payment's story, over HTTP."""

from tests.network.street import Street


def test_every_node_tells_its_operator_what_it_wrote_down_of_a_payment(street: Street) -> None:
    payer, till = street.payer("jing", 1_000), street.till("wei")
    paid = payer.pay(till.plate, 500)["payment_id"]
    stories = {
        "jing": street.operator("jing").get(f"/v1/operator/stories/{paid}"),
        "switch": street.operator("switch").get(f"/v1/stories/{paid}"),
        "wei": street.operator("wei").get(f"/v1/operator/stories/{paid}"),
    }
    for node, began in (("jing", "HELD"), ("switch", "RESERVED"), ("wei", "ACCEPTED")):
        assert [moment["state"] for moment in stories[node]] == [began, "COMPLETED"]
        assert {moment["node"] for moment in stories[node]} == {node}
    windows = {stories[node][1]["note"] for node in stories}
    assert len(windows) == 1


def test_nothing_is_stuck_and_what_is_decided_cannot_be_nudged(street: Street) -> None:
    payer, till = street.payer("jing", 1_000), street.till("wei")
    paid = payer.pay(till.plate, 500)["payment_id"]
    for node, base in (("jing", "/v1/operator"), ("switch", "/v1"), ("wei", "/v1/operator")):
        operator = street.operator(node)
        assert operator.get(f"{base}/stuck") == []
        assert operator.post(f"{base}/stuck/nudge", {}) == {"nudged": []}
        assert operator.refused(f"{base}/stuck/nudge", {"id": paid})["reason"] == "PAYMENT_UNKNOWN"
        unknown = operator.refused(f"{base}/stories/pay_01JD3V7M8Y5ZK2Q4R6T8W0X1A0", method="GET")
        assert unknown["reason"] == "PAYMENT_UNKNOWN"
        assert street.stranger(node).ask("GET", f"{base}/stuck").status_code == 401
    assert payer.ask("GET", "/v1/operator/stuck").status_code in {401, 403}

"""A merchant applies, and an operator decides: once, for good, and with what was told."""

from typing import Any

import pytest

from hutong.institution.merchants.application import APPLICATION_PREFIX, ApplicationForm, ApplicationState
from hutong.institution.merchants.application_api import application_routes
from hutong.institution.merchants.application_service import WAITING_OF_A_PHONE_MAX, ApplicationService
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Reason
from hutong.kernel.ids import id_text
from hutong.kernel.text import TextReason
from hutong.runtime.http_app import make_app
from tests.institution.merchants.shop_street import ShopStreet
from tests.institution.merchants.test_merchants_over_http import OPERATOR, Api, operator_only

TOLD = {
    "legal_name": "北京胡同面馆有限公司",
    "licence": "91110101MA01ABCD2X",
    "name": "胡同面馆",
    "latin_name": "HUTONG NOODLES",
    "city": "北京",
    "latin_city": "BEIJING",
    "mcc": "5812",
    "contact_name": "王小明",
    "contact_phone": "13800138000",
}
ID = 7 << 80


def form(**changed: str) -> ApplicationForm:
    return ApplicationForm(**(TOLD | changed))


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


@pytest.fixture
def applications(street: ShopStreet) -> ApplicationService:
    return ApplicationService(street.node, street.merchants)


def test_who_is_approved_is_taken_on_with_what_was_told(street: ShopStreet, applications: ApplicationService) -> None:
    application = street.do(lambda: applications.apply(ID, form()))
    assert application.state == ApplicationState.APPLIED
    assert [each.id for each in street.do(applications.waiting)] == [ID]
    approved, merchant = street.do(lambda: applications.approve(ID, 60, "M-9", "ann"))
    assert (approved.state, approved.decided_by, approved.merchant_id) == ("APPROVED", "ann", merchant.id)
    assert (merchant.reference, merchant.name, merchant.status) == ("M-9", "胡同面馆", MerchantStatus.ACTIVE)
    assert street.do(lambda: street.merchants.fee(merchant.id, street.now_ns)).fee_bps == 60
    assert street.do(applications.waiting) == []


def test_an_approval_repeated_takes_on_nobody_else(street: ShopStreet, applications: ApplicationService) -> None:
    street.do(lambda: applications.apply(ID, form()))
    _, merchant = street.do(lambda: applications.approve(ID, 60, "", "ann"))
    assert merchant.reference == id_text(APPLICATION_PREFIX, ID)
    before = street.journal.position
    assert street.do(lambda: applications.approve(ID, 99, "M-8", "bob"))[1] == merchant
    assert street.journal.position == before


def test_a_decision_is_for_good_and_survives_a_restart(street: ShopStreet, applications: ApplicationService) -> None:
    street.do(lambda: applications.apply(ID, form()))
    street.do(lambda: applications.decline(ID, "licence not found", "ann"))
    street.flush()
    street.restart()
    again = ApplicationService(street.node, street.merchants)
    declined = street.do(lambda: again.application(ID))
    assert (declined.state, declined.why) == ("DECLINED", "licence not found")
    assert street.no(again.approve, ID, 60, "", "ann").reason is MerchantReason.APPLICATION_DECIDED
    assert street.do(lambda: again.decline(ID, "licence not found", "ann")) == declined
    assert street.no(again.decline, ID, "another why", "ann").reason is MerchantReason.APPLICATION_DECIDED


def test_the_same_id_with_other_content_is_refused(street: ShopStreet, applications: ApplicationService) -> None:
    first = street.do(lambda: applications.apply(ID, form()))
    assert street.do(lambda: applications.apply(ID, form())) == first
    no = street.no(applications.apply, ID, form(city="上海", latin_city="SHANGHAI"))
    assert (no.reason, no.facts["field"]) == (MerchantReason.APPLICATION_OTHERWISE, "city")


def test_a_reference_that_is_anothers_is_refused(street: ShopStreet, applications: ApplicationService) -> None:
    street.owner("M-1")
    street.do(lambda: applications.apply(ID, form()))
    assert street.no(applications.approve, ID, 60, "M-1", "ann").reason is MerchantReason.REFERENCE_REUSED
    assert street.no(applications.approve, ID, 1001, "M-2", "ann").reason is MerchantReason.FEE_OUT_OF_RANGE


def test_one_phone_has_so_many_applications_waiting(street: ShopStreet, applications: ApplicationService) -> None:
    for number in range(WAITING_OF_A_PHONE_MAX):
        street.do(lambda number=number: applications.apply(ID + number, form()))  # type: ignore[misc]
    assert street.no(applications.apply, ID + 99, form()).reason is MerchantReason.APPLICATIONS_TOO_MANY
    street.do(lambda: applications.decline(ID, "no", "ann"))
    street.do(lambda: applications.apply(ID + 99, form()))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": ""}, TextReason.TEXT_EMPTY),
        ({"licence": "执照"}, TextReason.TEXT_NOT_ASCII),
        ({"contact_name": "x" * 71}, TextReason.TEXT_TOO_LONG),
        ({"contact_phone": "12"}, PeopleReason.PHONE_MALFORMED),
        ({"mcc": "58"}, MerchantReason.MCC_MALFORMED),
        ({"latin_name": ""}, MerchantReason.LATIN_NAME_MISSING),
    ],
)
def test_what_is_told_is_checked(
    street: ShopStreet, applications: ApplicationService, changed: dict[str, str], reason: Reason
) -> None:
    assert street.no(applications.apply, ID, form(**changed)).reason is reason


class ApplicationApi(Api):
    """As the merchants' API, with applications alone."""

    def __init__(self, street: ShopStreet) -> None:
        self.street = street
        service = ApplicationService(street.node, street.merchants)
        routes = application_routes(street.node, service, operator_only(street.node))
        self.app = make_app(routes, title="jing", version="1")


def test_over_http_who_applied_sees_how_it_stands_and_nothing_else(street: ShopStreet) -> None:
    api = ApplicationApi(street)
    id_ = id_text(APPLICATION_PREFIX, ID)
    body: dict[str, Any] = TOLD | {"application_id": id_}
    assert api.post("/v1/merchant-applications", body)["state"] == "APPLIED"
    standing = api.get(f"/v1/merchant-applications/{id_}")
    assert set(standing) == {"application_id", "state", "why", "applied_at_ms"}
    api.get("/v1/operator/merchant-applications", status=401)
    (listed,) = api.get("/v1/operator/merchant-applications", OPERATOR)
    assert (listed["licence"], listed["contact_phone"]) == (TOLD["licence"], "+8613800138000")
    path = f"/v1/operator/merchant-applications/{id_}"
    approved = api.post(f"{path}/approve", {"fee_bps": 60, "reference": "M-9"}, OPERATOR, status=200)
    assert approved["merchant_id"].startswith("mer_")
    assert api.get(path, OPERATOR)["decided_by"] == "root"
    no = api.post(f"{path}/decline", {"why": "late"}, OPERATOR, status=422)
    assert no["reason"] == "APPLICATION_DECIDED"
    assert api.get("/v1/operator/merchant-applications", OPERATOR, only="APPROVED")[0]["application_id"] == id_

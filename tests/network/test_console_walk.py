"""Every page of the console answers, in both languages, and to nobody whose it is not."""

import httpx
import pytest

from tests.network.street import NO_TLS, Street
from tests.network.test_console_files import signed_in

PATHS = ("", "/payments", "/bills", "/settlement", "/withdrawal", "/shops", "/plates", "/staff", "/keys", "/webhooks")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_of_a_new_merchant_answers(street: Street, language: str) -> None:
    till = street.till("wei")
    with signed_in(street, till) as browser:
        browser.headers["accept-language"] = language
        for path in PATHS:
            answer = browser.get(f"/console{path}")
            assert answer.status_code == 200, (path, answer.text[-400:])
            assert f'lang="{language}"' in answer.text
            assert till.merchant_id not in answer.text
    for path in PATHS:
        outside = httpx.get(f"{till.url}/console{path}", headers={"accept": "text/html"}, verify=NO_TLS)
        assert outside.status_code == 303
        assert outside.headers["location"].startswith("/staff/sign-in?next=/console")

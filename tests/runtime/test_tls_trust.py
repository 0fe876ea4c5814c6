import ssl

import pytest

from hutong.runtime.tls_trust import trusted_at


@pytest.mark.parametrize("url", ["https://hutong.example", "HTTPS://hutong.example:8443/"])
def test_over_tls_the_worlds_authorities_are_trusted_and_read_once(url: str) -> None:
    context = trusted_at(url)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 0
    assert trusted_at(url) is context


@pytest.mark.parametrize("url", ["http://127.0.0.1:8100", "", "https.example"])
def test_in_the_clear_nobody_is_trusted(url: str) -> None:
    context = trusted_at(url)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 0

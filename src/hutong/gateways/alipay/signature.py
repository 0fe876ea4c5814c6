"""How a request is proven, and an answer signed."""

from functools import lru_cache

from cryptography import x509

from hutong.gateways import keys
from hutong.gateways.account import AlipayAccount, Signing
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.parameters import canonical, encode
from hutong.gateways.platform import SigningKey
from hutong.kernel.clock import instant_ns

RSA2, RSA = "RSA2", "RSA"
SIGN_TYPES = (RSA2, RSA)


def check_certificate(account: AlipayAccount, sn: str, now_ns: int) -> None:
    """
    That a request names the certificate it must, if it must.

    Refuses:  isv.missing-app-cert-sn, isv.invalid-app-cert-sn, isv.app-cert-expired.
    """
    if not sn:
        if account.facts.signing is Signing.CERTIFICATE:
            raise AlipayError("isv.missing-app-cert-sn")
        return
    if sn != account.facts.key.serial:
        raise AlipayError("isv.invalid-app-cert-sn")
    if _expires_ns(account.facts.key.pem) <= now_ns:
        raise AlipayError("isv.app-cert-expired")


def verifies(account: AlipayAccount, signature: str, data: bytes, sign_type: str = RSA2) -> bool:
    """Whether the application signed these bytes. A client that did not encode its `+` sent a space."""
    key = keys.public_key(account.facts.key.pem)
    return keys.verifies(key, signature.replace(" ", "+"), data, sha1=sign_type == RSA)


def sign(key: SigningKey, data: bytes, sign_type: str = RSA2) -> str:
    """The institution's signature, of the kind that the client uses itself."""
    return (keys.sign_sha1 if sign_type == RSA else keys.sign)(key.private, data)


@lru_cache(10_000)
def _expires_ns(pem: str) -> int:
    return instant_ns(x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc)


@lru_cache(100)
def certificate_sn(pem: str) -> str:
    """The SN of one of our certificates."""
    return keys.certificate_sn(pem)


def root_sn(pems: str) -> str:
    """The SN of a root file: of each certificate in it that RSA signed, joined by underscores."""
    certificates = x509.load_pem_x509_certificates(pems.encode())
    rsa = [each for each in certificates if each.signature_algorithm_oid.dotted_string.startswith("1.2.840.113549.1.1")]
    return "_".join(keys.certificate_sn(keys.certificate_pem(each)) for each in rsa)


def signed_parameters(key: SigningKey, values: dict[str, str], sign_type: str, codec: str) -> dict[str, str]:
    """
    Parameters that the institution sends: a notification's, or those a browser brings back to the merchant.

    Unlike in a request, `sign_type` is not signed.
    """
    data = canonical(encode(values, codec), without=(b"sign", b"sign_type"))
    return {**values, "sign_type": sign_type, "sign": sign(key, data, sign_type)}

"""RSA keys, signatures and certificates, as both vendors use them: PKCS#1 v1.5, X.509."""

import base64
import hashlib
from binascii import Error as Base64Error
from datetime import timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import NameOID

from hutong.gateways.reasons import GatewayReason
from hutong.kernel.clock import instant
from hutong.kernel.errors import Refusal

KEY_BITS = 2048
_EXPONENT = 65537
_CERTIFICATE_DAYS = 365 * 10
_KEYS_REMEMBERED = 10_000
_PADDING = padding.PKCS1v15()
_SHA256, _SHA1 = hashes.SHA256(), hashes.SHA1()  # noqa: S303  # SHA-1 is what the vendors' older sign_type RSA says.


def new_key() -> RSAPrivateKey:
    """A fresh RSA key of 2048 bits."""
    return rsa.generate_private_key(_EXPONENT, KEY_BITS)


def sign(key: RSAPrivateKey, data: bytes) -> str:
    """SHA256withRSA, in base64."""
    return base64.b64encode(key.sign(data, _PADDING, _SHA256)).decode()


def sign_sha1(key: RSAPrivateKey, data: bytes) -> str:
    """SHA1withRSA, in base64."""
    return base64.b64encode(key.sign(data, _PADDING, _SHA1)).decode()


def verifies(key: RSAPublicKey, signature: str, data: bytes, *, sha1: bool = False) -> bool:
    """Whether the base64 `signature` of `data` is by `key`; whatever is wrong with it, it is not."""
    try:
        key.verify(base64.b64decode(signature, validate=True), data, _PADDING, _SHA1 if sha1 else _SHA256)
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True


@lru_cache(_KEYS_REMEMBERED)
def public_key(pem: str) -> RSAPublicKey:
    """
    The RSA key of a PEM text: a public key, or the certificate of one.

    Refuses:  KEY_UNUSABLE: no PEM, no RSA, or fewer than 2048 bits.
    """
    try:
        if "BEGIN CERTIFICATE" in pem:
            key: object = x509.load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refusal(GatewayReason.KEY_UNUSABLE, field="public_key", problem="no PEM of a public key") from error
    if not isinstance(key, RSAPublicKey):
        raise Refusal(GatewayReason.KEY_UNUSABLE, field="public_key", problem="not RSA")
    if key.key_size < KEY_BITS:
        raise Refusal(GatewayReason.KEY_UNUSABLE, field="public_key", problem=f"fewer than {KEY_BITS} bits")
    return key


@lru_cache(_KEYS_REMEMBERED)
def private_key(pem: bytes) -> RSAPrivateKey:
    """The RSA key of a PKCS#8 PEM of ours."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    return key


def private_pem(key: RSAPrivateKey) -> bytes:
    """PKCS#8, in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: RSAPublicKey) -> str:
    """SubjectPublicKeyInfo, in PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def certificate_pem(certificate: x509.Certificate) -> str:
    """X.509, in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def issue(
    name: str,
    organisation: str,
    key: RSAPublicKey,
    *,
    issuer: x509.Certificate | None,
    issuer_key: RSAPrivateKey,
    serial: int,
    now_ns: int,
) -> x509.Certificate:
    """
    A certificate good for ten years, from a day before now on; without an `issuer` it is an authority of its own.

    `serial` has 159 bits, so that it is forty hexadecimal digits and positive.
    """
    subject = _name(name, organisation)
    begins = instant(now_ns) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def certificate_serial(pem: str) -> str:
    """As WeChat Pay writes it: hexadecimal, forty digits, in upper case."""
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:040X}"


def certificate_sn(pem: str) -> str:
    """
    As Alipay names it: the MD5 of issuer and decimal serial, in lower-case hexadecimal.

    The issuer is written with its most specific part first: `CN=…,OU=…,O=…,C=…`.
    """
    certificate = x509.load_pem_x509_certificate(pem.encode())
    issuer = ",".join(
        f"{_SHORT.get(part.oid, part.oid.dotted_string)}={part.value!s}" for part in _reversed(certificate.issuer)
    )
    return hashlib.md5(f"{issuer}{certificate.serial_number}".encode(), usedforsecurity=False).hexdigest()


_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.COUNTRY_NAME: "C",
}


def _reversed(name: x509.Name) -> list[x509.NameAttribute[str | bytes]]:
    return list(reversed(list(name)))


def _name(name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Gateway"),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )

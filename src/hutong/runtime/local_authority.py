"""
Certificate authorities of this machine's own.

One is for a network at home: phones that trust it open cameras on our pages. Another vouches for the names by which
merchants' software calls gateways. Their keys stay in the data directory, readable by nobody else, and each can vouch for
nothing else, by its own certificate: who trusts it trusts it for no other site.
"""

import os
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hutong.kernel.clock import Clock, instant
from hutong.kernel.errors import Kind, Reason, Refusal

_AUTHORITY_DAYS, _SERVER_DAYS = 3650, 397  # Phones take no server's certificate of more than 398 days.
_RENEW_DAYS = 30
_LOCAL_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
_LOCAL_NAMES = ("localhost", "local", "lan", "home.arpa")
_NOBODY = ("192.0.2.1", 9)  # Of RFC 5737: nothing is sent, the way there is only looked up.


class AuthorityReason(Reason):
    """Why a machine can't be served to others on its network."""

    NO_LOCAL_ADDRESS = Kind.REFUSED, "NARR"


def local_address() -> str:
    """The address by which others on the network reach this machine. Refuses NO_LOCAL_ADDRESS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(_NOBODY)
            found = str(asked.getsockname()[0])
        except OSError:
            found = ""
    return check_local(found)


def check_local(address: str) -> str:
    """The same. Refuses NO_LOCAL_ADDRESS for one that all the world reaches: what is for trying out is no web site."""
    try:
        known = ip_address(address)
    except ValueError:
        known = None
    if known is None or known.is_loopback or known.is_unspecified or known.is_global:
        raise Refusal(
            AuthorityReason.NO_LOCAL_ADDRESS,
            address=address,
            do="join a local network, or name this machine's address in it with HUTONG_HOST",
        )
    return address


@dataclass(frozen=True, slots=True)
class LocalAuthority:
    """The authority of a data directory."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    directory: Path

    @property
    def pem(self) -> bytes:
        """What phones are given to trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The same, as Android and iOS take it from a download."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """What is compared before trusting it: SHA-256."""
        digest = self.certificate.fingerprint(hashes.SHA256()).hex().upper()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))

    def serving(self, address: str, clock: Clock) -> ssl.SSLContext:
        """What a server at this address speaks TLS with; its certificate is made anew each time."""
        names = {"localhost", socket.gethostname().split(".")[0] + ".local"}
        alternatives = [
            x509.IPAddress(ip_address(address)),
            x509.IPAddress(ip_address("127.0.0.1")),
            *(x509.DNSName(name) for name in sorted(names) if name.isascii()),
        ]
        return self._context(alternatives, clock)

    def serving_names(self, names: Iterable[str], clock: Clock) -> ssl.SSLContext:
        """What a server that goes by these names speaks TLS with."""
        return self._context([x509.DNSName(name) for name in sorted(names)], clock)

    def _context(self, alternatives: Iterable[x509.GeneralName], clock: Clock) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        begins = instant(clock.now_ns()) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name("Hutong on this network"))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=_SERVER_DAYS))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        chain = self.directory / "server.pem"
        _write(chain, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM) + self.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain)
        return context


def local_authority(directory: Path, address: str, clock: Clock) -> LocalAuthority:
    """The authority kept in `directory`; made where there is none that can vouch for `address` for some time yet."""
    asked = ip_address(address)

    def fits(permitted: Sequence[x509.GeneralName]) -> bool:
        networks = [name.value for name in permitted if isinstance(name, x509.IPAddress)]
        return any(asked in network for network in networks if isinstance(network, IPv4Network | IPv6Network))

    # A network may be numbered otherwise: then for this one address of it.
    local: list[x509.GeneralName] = [x509.IPAddress(ip_network(text)) for text in (*_LOCAL_NETWORKS, address)]
    local += [x509.DNSName(text) for text in _LOCAL_NAMES]
    return _kept(directory, "for local networks only", local, fits, clock)


def named_authority(directory: Path, domains: Sequence[str], purpose: str, clock: Clock) -> LocalAuthority:
    """The authority kept in `directory`, for what lies below `domains`; made where there is none that still lasts."""
    permitted = [x509.DNSName(domain) for domain in domains]
    return _kept(directory, purpose, permitted, lambda known: [*known] == permitted, clock)


def _kept(
    directory: Path,
    purpose: str,
    permitted: Sequence[x509.GeneralName],
    fits: Callable[[Sequence[x509.GeneralName]], bool],
    clock: Clock,
) -> LocalAuthority:
    file = directory / "authority.pem"
    if file.exists():
        content = file.read_bytes()
        key = serialization.load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
        assert isinstance(key, ec.EllipticCurvePrivateKey), file
        lasts = certificate.not_valid_after_utc > instant(clock.now_ns()) + timedelta(days=_RENEW_DAYS)
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        if lasts and fits(constraints.permitted_subtrees or []):
            return LocalAuthority(certificate, key, directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = ec.generate_private_key(ec.SECP256R1())
    authority = LocalAuthority(_authority(made, purpose, permitted, clock), made, directory)
    _write(file, _pem(made) + authority.pem)
    return authority


def _authority(
    key: ec.EllipticCurvePrivateKey, purpose: str, permitted: Sequence[x509.GeneralName], clock: Clock
) -> x509.Certificate:
    name = _name(f"Hutong on {socket.gethostname()[:28]}, {purpose}")
    begins = instant(clock.now_ns()) - timedelta(days=1)
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    """Readable by its owner alone from its first byte on, and whole or not there."""
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
    beside.replace(file)

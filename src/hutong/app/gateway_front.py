"""The gateways under the names that merchants' software calls: TLS of an authority of this machine's own, in front of nodes."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from hutong.app.network import NetworkReason
from hutong.gateways.hosts import ALIPAY_HOSTS, DOMAINS, WECHATPAY_HOSTS
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.local_authority import LocalAuthority, named_authority
from hutong.runtime.settings import Settings
from hutong.runtime.tls_front import Behind, TlsFront

TLS_PORT = 443
WECHATPAY_NODE, ALIPAY_NODE = "wei", "zhi"  # Whose gateways they are where nobody says otherwise.
HOSTS = Path("/etc/hosts")
# Where the machine's own programs look for authorities, Debian's and its relatives' first.
SYSTEM_AUTHORITIES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
_STORE_PASSWORD = "hutong"  # noqa: S105  # Nothing in it is secret; Java wants one.


class FrontReason(Reason):
    """Why the names are not served."""

    PORT_NOT_FREE = Kind.CONFLICT, "NARR"


@dataclass(frozen=True, slots=True)
class Trusted:
    """The authority, and its files for those who are to trust it."""

    authority: LocalAuthority
    directory: Path

    @property
    def certificate(self) -> Path:
        """The authority's certificate alone."""
        return self.directory / "ca.pem"

    @property
    def bundle(self) -> Path:
        """The same behind those that the machine trusts anyway."""
        return self.directory / "ca-bundle.pem"

    @property
    def java_store(self) -> Path:
        return self.directory / "truststore.p12"

    def environment(self) -> dict[str, str]:
        """What makes programs trust it that do not ask the machine: Python's, curl, Go's, Node's and Java's."""
        store = f"-Djavax.net.ssl.trustStore={self.java_store} -Djavax.net.ssl.trustStorePassword={_STORE_PASSWORD}"
        return {
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
            "CURL_CA_BUNDLE": str(self.bundle),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "JAVA_TOOL_OPTIONS": store,
        }


def trusted(settings: Settings) -> Trusted:
    """The authority of the data directory, with its files written out."""
    directory = settings.data_directory / "gateways"
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    authority = named_authority(directory / "authority", DOMAINS, "for gateways only", SystemClock())
    found = Trusted(authority, directory)
    known = [file.read_bytes() for file in SYSTEM_AUTHORITIES if file.is_file()][:1]
    found.certificate.write_bytes(authority.pem)
    found.bundle.write_bytes(b"\n".join([*known, authority.pem]))
    entry = PKCS12Certificate(x509.load_pem_x509_certificate(authority.pem), b"hutong")
    store = serialize_java_truststore([entry], BestAvailableEncryption(_STORE_PASSWORD.encode()))
    found.java_store.write_bytes(store)
    return found


def behind_names(
    settings: Settings, *, wechatpay: str = WECHATPAY_NODE, alipay: str = ALIPAY_NODE
) -> dict[str, Behind]:
    """Which node answers to which name. Refuses NODE_UNKNOWN, for one without a port."""
    places: dict[str, Behind] = {}
    for node, names in ((wechatpay, WECHATPAY_HOSTS), (alipay, ALIPAY_HOSTS)):
        port = settings.ports.get(node)
        if not port:
            raise Refusal(NetworkReason.NODE_UNKNOWN, node=node, known=", ".join(settings.ports))
        places |= dict.fromkeys(names, Behind(settings.host, port))
    return places


def hosts_lines(address: str, names: Mapping[str, object]) -> str:
    """What makes the names lead here, as /etc/hosts has it."""
    return "".join(f"{address} {name}\n" for name in sorted(names))


def certificate(authority: LocalAuthority, names: Mapping[str, object]) -> ssl.SSLContext:
    return authority.serving_names(names, SystemClock())


@asynccontextmanager
async def tls_front(
    host: str, port: int, behind: Mapping[str, Behind], authority: LocalAuthority
) -> AsyncIterator[TlsFront]:
    """The front, up. Refuses PORT_NOT_FREE."""
    front = TlsFront(host, port, behind, certificate(authority, behind))
    try:
        await front.start()
    except OSError as error:
        do = "hutong gateway up --tls --port 8443, as root for ports below 1024, or hutong gateway run"
        raise Refusal(FrontReason.PORT_NOT_FREE, address=f"{host}:{port}", said=error, do=do) from error
    try:
        yield front
    finally:
        await front.stop()

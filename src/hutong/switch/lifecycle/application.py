"""
An application: who wants to take part, signed with the key it will sign messages with.

What is signed is the line `hutong-application/1`, a line feed, and the JSON of `application` with its fields sorted by name,
without spaces, in UTF-8: so whoever applies holds the key, and nothing of it was changed on the way.
"""

from typing import Annotated

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from hutong.codes.code_form import read_form
from hutong.codes.directory import Directory
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, Text
from hutong.scheme.message import Milliseconds, NodeId
from hutong.scheme.messages import VERSION
from hutong.switch.lifecycle.policy import LifecyclePolicy
from hutong.switch.lifecycle.reason import LifecycleReason

_DOMAIN = b"hutong-application/1\n"
_AHEAD_MAX_NS = 600 * NS_PER_S
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern="^[^\\x00]*$")]
MaybeWords = Annotated[str, msgspec.Meta(max_length=140, pattern="^[^\\x00]*$")]
KeyName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["yun-1"])]
PublicHex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="Ed25519, 32 bytes in hexadecimal")]
SignatureHex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$", description="Ed25519, 64 bytes in hexadecimal")]
PeerUrl = Annotated[
    str, msgspec.Meta(max_length=200, pattern="^https?://[^\\s\\x00]+$", examples=["https://yun.example"])
]
FormText = Annotated[str, msgspec.Meta(min_length=1, max_length=512, examples=["url:https://yun.example/q/"])]


class LegalEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs the contract."""

    name: Words
    registration_id: Words  # 统一社会信用代码 in China.
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1", examples=["CN"])]
    address: Words


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the scheme's operator calls, also to hear a key's fingerprint."""

    name: Words
    email: Words
    phone: MaybeWords


class ApplicationKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first key of the node."""

    key_id: KeyName
    public_key: PublicHex


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything of it is filled in, if with nothing: what is signed has no defaults."""

    switch: NodeId  # The switch that is applied to.
    node: NodeId
    participant: NodeId  # Whose node it is; of an only node the same.
    name: Words  # As other people's users see it.
    legal_entity: LegalEntity
    contact: Contact
    url: PeerUrl
    forms: Annotated[tuple[FormText, ...], msgspec.Meta(max_length=100)]  # The code forms it wants.
    key: ApplicationKey
    protocol_version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    made_at_ms: Milliseconds

    def text(self) -> str:
        """As it is kept, and signed."""
        return msgspec.json.encode(self, order="sorted").decode()


class SignedApplication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file an applicant makes."""

    application: Application
    signature: SignatureHex

    def check(self, switch: str, policy: LifecyclePolicy, now_ns: int) -> None:
        """
        Whether it is for this switch, made lately by who holds its key, and asks for what there can be.

        Refuses:  APPLICATION_FOR_ANOTHER_SWITCH, APPLICATION_NOT_SIGNED_BY_ITS_KEY, APPLICATION_OUT_OF_DATE,
                  APPLICATION_VERSION_NOT_SPOKEN; what `read_form` and `Directory.register` refuse.
        """
        about = self.application
        if about.switch != switch:
            raise Refusal(LifecycleReason.APPLICATION_FOR_ANOTHER_SWITCH, switch=about.switch, here=switch)
        key = VerifyKey(bytes.fromhex(about.key.public_key))
        try:
            key.verify(signed_bytes(about), bytes.fromhex(self.signature))
        except BadSignatureError:
            raise Refusal(LifecycleReason.APPLICATION_NOT_SIGNED_BY_ITS_KEY, key_id=about.key.key_id) from None
        made_ns = about.made_at_ms * NS_PER_MS
        if not now_ns - policy.application_age_max_s * NS_PER_S <= made_ns <= now_ns + _AHEAD_MAX_NS:
            raise Refusal(LifecycleReason.APPLICATION_OUT_OF_DATE, made_at_ms=about.made_at_ms)
        if about.protocol_version != VERSION:
            raise Refusal(
                LifecycleReason.APPLICATION_VERSION_NOT_SPOKEN, version=about.protocol_version, spoken=VERSION
            )
        among_its_own = Directory()
        for form in about.forms:
            among_its_own.register(read_form(form), about.node)


class ApplicationRow(msgspec.Struct, frozen=True):
    """An application as it was taken in; the newest row of a node is the one that counts."""

    node_id: Text
    application: Text  # As it was signed.
    signature: Bytes
    taken_by: Text
    taken_ns: BigInt

    def read(self) -> Application:
        return msgspec.json.decode(self.application, type=Application)


def signed_bytes(application: Application) -> bytes:
    """Exactly what is signed; see the head of this file."""
    return _DOMAIN + application.text().encode()


def sign(application: Application, seed: bytes) -> SignedApplication:
    """The file, made where the key is."""
    signature = SigningKey(seed).sign(signed_bytes(application)).signature
    return SignedApplication(application, signature.hex())

"""An invitation: a person's code and link in one campaign."""

import hashlib

import msgspec

from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Table, Text, Uuid

PATH = "/i/"
CODE_LENGTH = 10  # 50 bits: nobody finds one by trying.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: what people misread is not among them.
_MISREAD = str.maketrans("OIL", "011")


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """It never changes: who was given the code may have it in a chat for years."""

    id: Uuid
    inviter_id: Uuid
    campaign_id: Uuid
    code: Text
    created_ns: BigInt

    def link(self, base: str) -> str:
        """Where the code leads a friend: `base` is the institution's own address."""
        return f"{base}{PATH}{self.code}"


INVITATIONS = Table("invitations", Invitation)


def invitation_id(inviter_id: int, campaign_id: int) -> int:
    """A person has one invitation in a campaign."""
    return derive(inviter_id, f"{campaign_id:032x}/invitation")


def code_of(key: bytes, inviter_id: int, campaign_id: int, attempt: int) -> str:
    """A code for somebody's invitation: nobody without the key can tell one from the other's."""
    whose = f"{inviter_id:032x}/{campaign_id:032x}/{attempt}".encode()
    bits = int.from_bytes(hashlib.blake2b(whose, digest_size=16, key=key, person=b"hutong invite").digest())
    return "".join(_LETTERS[bits >> 5 * place & 31] for place in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """The code as it is kept, from what was typed or scanned; empty where it can be none. A whole link will do."""
    code = text.strip().rpartition("/")[2].upper().replace("-", "").replace(" ", "").translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and set(code) <= set(_LETTERS) else ""


def place_key(key: bytes, address: str) -> int:
    """What is kept of the address somebody came from: equal where that is equal, and no way back. 0: not known."""
    if not address:
        return 0
    return int.from_bytes(hashlib.blake2b(address.encode(), digest_size=16, key=key, person=b"hutong invited").digest())

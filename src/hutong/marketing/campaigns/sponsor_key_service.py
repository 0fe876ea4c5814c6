"""Keys of sponsors: given out by the institution's operator, and renewed by whoever holds them."""

import msgspec

from hutong.institution.key_token import CALLERS_ID_LENGTH_MAX, SECRET_BYTES, KeyTokens
from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX, NAME_LENGTH_MAX, SponsorKey
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.runtime.node import NodeRuntime


class SponsorKeyService:
    """What takes a `SponsorKey` answers to that sponsor alone (invariant 8); the rest is for the operator."""

    def __init__(self, node: NodeRuntime, sponsors: SponsorService, pepper: bytes) -> None:
        self._node = node
        self._sponsors = sponsors
        self._keys = sponsors.keys
        self._tokens = KeyTokens(pepper, KEY_PREFIX, "sponsor")

    def key(self, token: str) -> SponsorKey:
        """Whose token this is. Refuses KEY_NOT_ACCEPTED, KEY_REVOKED."""
        return self._tokens.whose(token, self._keys.get)

    def standing(self, key_id: int) -> SponsorKey | None:
        """A key as it is now, good or ended; None: there is none."""
        return self._keys.get(key_id)

    # The operator.

    def issue(self, sponsor_id: int, name: str, callers_id: str = "") -> tuple[SponsorKey, str]:
        """
        A key for a sponsor, and its token. From its first one on it is asked before its money goes into a campaign.

        Refuses:  SPONSOR_UNKNOWN; SPONSOR_HAS_STAFF: a merchant's staff keys say who it is; the text refusals;
                  SPONSOR_KEY_TAKEN, naming the field.
        Repeats:  under the same `callers_id` the same key, for SHOWN_AGAIN_NS with its token, afterwards without.
                  Without one, another key.
        """
        if self._sponsors.sponsor(sponsor_id).merchant_id:
            raise Refusal(CampaignReason.SPONSOR_HAS_STAFF)
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        check_text("key_id", callers_id, length_max=CALLERS_ID_LENGTH_MAX, empty=True)
        key_id = derive(sponsor_id, f"sponsor-key/{callers_id}") if callers_id else self._node.mint.mint()
        now_ns = self._node.clock.now_ns()
        known = self._keys.get(key_id)
        if known is not None:
            if known.name != name:
                raise Refusal(CampaignReason.SPONSOR_KEY_TAKEN, field="name")
            return known, "" if known.rotated_ns > known.created_ns else self._tokens.shown_again(known, now_ns)
        issued = SponsorKey(
            id=key_id,
            sponsor_id=sponsor_id,
            name=name,
            token_hash=b"",
            created_ns=now_ns,
            rotated_ns=now_ns,
            revoked_ns=0,
        )
        return self._put(issued, can_show_again=bool(callers_id))

    def of_sponsor(self, sponsor_id: int) -> list[SponsorKey]:
        """All its keys, revoked ones too, oldest first. Refuses SPONSOR_UNKNOWN."""
        return self._sponsors.keys_of(self._sponsors.sponsor(sponsor_id).id)

    def revoke(self, sponsor_id: int, key_id: int) -> SponsorKey:
        """End a key of this sponsor's. Refuses SPONSOR_UNKNOWN, SPONSOR_KEY_UNKNOWN. Repeats: the key, revoked."""
        revoked = self._key_of(self._sponsors.sponsor(sponsor_id).id, key_id)
        if not revoked.revoked_ns:
            revoked = msgspec.structs.replace(revoked, revoked_ns=self._node.clock.now_ns())
            self._keys.put(revoked)
        return revoked

    # The sponsor.

    def rotate(self, key: SponsorKey, key_id: int, rotation_id: str = "") -> tuple[SponsorKey, str]:
        """
        A new token for one of the sponsor's keys, which nobody else has seen; the old one is no good from now on.

        Refuses:  SPONSOR_KEY_UNKNOWN; KEY_REVOKED; the text refusals.
        Repeats:  the last rotation under its own `rotation_id`: as `issue`. Without one, another token.
        """
        check_text("rotation_id", rotation_id, length_max=CALLERS_ID_LENGTH_MAX, empty=True)
        rotated, now_ns = self._key_of(key.sponsor_id, key_id), self._node.clock.now_ns()
        if rotated.revoked_ns:
            raise Refusal(MerchantReason.KEY_REVOKED)
        if rotation_id and rotated.rotation_id == rotation_id:
            return rotated, self._tokens.shown_again(rotated, now_ns)
        rotated = msgspec.structs.replace(rotated, rotated_ns=now_ns, rotation_id=rotation_id)
        return self._put(rotated, can_show_again=bool(rotation_id))

    def _put(self, key: SponsorKey, *, can_show_again: bool) -> tuple[SponsorKey, str]:
        """Give the key a new token: one that can be shown again, or one that nobody can."""
        secret = self._tokens.derived_secret(key) if can_show_again else self._node.randomness.randbytes(SECRET_BYTES)
        token = self._tokens.token(key.id, secret)
        key = msgspec.structs.replace(key, token_hash=self._tokens.hashed(token))
        self._keys.put(key)
        return key, token

    def _key_of(self, sponsor_id: int, key_id: int) -> SponsorKey:
        key = self._keys.get(key_id)
        if key is None or key.sponsor_id != sponsor_id:
            raise Refusal(CampaignReason.SPONSOR_KEY_UNKNOWN)
        return key

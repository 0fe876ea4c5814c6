"""Endpoints: made, listed, rotated, switched and removed by the merchant whose they are."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from hutong.institution.notices.delivery import WebhookDelivery
from hutong.institution.notices.reasons import NoticeReason
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.webhook import (
    ENDPOINTS_MAX,
    ROTATION_NS,
    EndpointState,
    WebhookEndpoint,
    check_url,
    checked_types,
    mint_secret,
    secret_text,
)
from hutong.institution.sealing import SealingKeys
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import is_public
from hutong.runtime.shelf import warmed

Changed = Callable[[WebhookEndpoint], None]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What signs a delivery now: the newest first."""

    newest: bytes
    all: list[bytes]


class WebhookService:
    """A merchant sees and changes its own endpoints alone."""

    def __init__(
        self, node: NodeRuntime, repository: NoticeRepository, sealing: SealingKeys, *, private_allowed: bool
    ) -> None:
        self._node = node
        self._repository = repository
        self._sealing = sealing
        self._private_allowed = private_allowed
        self._listeners: list[Changed] = []

    def listen(self, changed: Changed) -> None:
        """Call `changed` with each new version of an endpoint, in the decision that makes it."""
        self._listeners.append(changed)

    def make(self, owner_id: int, endpoint_id: int, url: str, types: list[str]) -> WebhookEndpoint:
        """
        A new endpoint, which gets what happens from now on.

        Refuses:  WEBHOOK_URL_MALFORMED, WEBHOOK_URL_NOT_SECURE, WEBHOOK_TARGET_FORBIDDEN, EVENT_TYPE_MALFORMED,
                  WEBHOOK_TAKEN, WEBHOOKS_TOO_MANY.
        Repeats:  the same id and content: the same endpoint. Other content: WEBHOOK_TAKEN, naming the field.
        """
        host = check_url(url, private_allowed=self._private_allowed)
        self._check_host(host)
        wanted = checked_types(types)
        known = self._repository.endpoints.get(endpoint_id)
        others = self._repository.endpoints.find("owner_id", owner_id)
        if known is not None:
            if known.owner_id != owner_id:
                raise Refusal(NoticeReason.WEBHOOK_TAKEN, field="id")
            known.check_same(url, wanted)
            return known
        if sum(other.state != EndpointState.REMOVED.value for other in others) >= ENDPOINTS_MAX:
            raise Refusal(NoticeReason.WEBHOOKS_TOO_MANY, endpoints_max=ENDPOINTS_MAX)
        now_ns = self._node.clock.now_ns()
        made = WebhookEndpoint(
            id=endpoint_id,
            owner_id=owner_id,
            url=url,
            types=wanted,
            secret_sealed=b"",
            starts_after=self._node.journal.position,
            changed_ns=now_ns,
        )
        sealed = self._sealing.seal(mint_secret(self._node.randomness), made.secret_label)
        return self._put(msgspec.structs.replace(made, secret_sealed=sealed))

    def endpoints(self, owner_id: int) -> list[WebhookEndpoint]:
        """The owner's endpoints but the removed, oldest first; raises `Cold`."""
        found = self._repository.endpoints.find("owner_id", owner_id)
        return [endpoint for endpoint in found if endpoint.state != EndpointState.REMOVED.value]

    def endpoint(self, owner_id: int, endpoint_id: int) -> WebhookEndpoint:
        """Refuses WEBHOOK_UNKNOWN, also when it is somebody else's or removed."""
        endpoint = self._repository.endpoints.get(endpoint_id)
        if endpoint is None or endpoint.owner_id != owner_id or endpoint.state == EndpointState.REMOVED.value:
            raise Refusal(NoticeReason.WEBHOOK_UNKNOWN)
        return endpoint

    def secret(self, owner_id: int, endpoint_id: int) -> str:
        """The secret that signs, for who lost it or its answer. Refuses WEBHOOK_UNKNOWN."""
        return secret_text(self.secrets(self.endpoint(owner_id, endpoint_id)).newest)

    def rotate(self, owner_id: int, endpoint_id: int) -> WebhookEndpoint:
        """
        A new secret; for a day the old one signs, too.

        Refuses:  WEBHOOK_UNKNOWN; WEBHOOK_ROTATING within that day: else a retry would drop the secret that the
                  merchant has. Who lost the answer reads the secret.
        """
        endpoint = self.endpoint(owner_id, endpoint_id)
        now_ns = self._node.clock.now_ns()
        if now_ns < endpoint.old_secret_until_ns:
            raise Refusal(NoticeReason.WEBHOOK_ROTATING)
        rotated = msgspec.structs.replace(
            endpoint,
            secret_sealed=self._sealing.seal(mint_secret(self._node.randomness), endpoint.secret_label),
            old_secret_sealed=endpoint.secret_sealed,
            old_secret_until_ns=now_ns + ROTATION_NS,
            changed_ns=now_ns,
        )
        return self._put(rotated)

    def turn(self, owner_id: int, endpoint_id: int, state: EndpointState, why: str) -> WebhookEndpoint:
        """
        Enable, disable or remove. Enabled again it goes on where it was: nothing is missed.

        Refuses:  WEBHOOK_UNKNOWN.
        Repeats:  the same answer.
        """
        endpoint = self.endpoint(owner_id, endpoint_id)
        if endpoint.state == state.value:
            return endpoint
        return self._put(endpoint.turned(state, why, self._node.clock.now_ns()))

    async def deliveries(
        self, owner_id: int, endpoint_id: int, *, before: int | None, limit: int
    ) -> list[tuple[int, WebhookDelivery]]:
        """What was tried, newest first, with its place. Refuses WEBHOOK_UNKNOWN."""
        await warmed(self._node.journal, lambda: self.endpoint(owner_id, endpoint_id))
        return await self._repository.deliveries(endpoint_id, before=before, limit=limit)

    def secrets(self, endpoint: WebhookEndpoint) -> Secrets:
        """What signs deliveries to it now."""
        newest = self._sealing.unseal(endpoint.secret_sealed, endpoint.secret_label)
        if endpoint.old_secret_sealed is None or self._node.clock.now_ns() >= endpoint.old_secret_until_ns:
            return Secrets(newest, [newest])
        return Secrets(newest, [newest, self._sealing.unseal(endpoint.old_secret_sealed, endpoint.secret_label)])

    def _put(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        self._repository.endpoints.put(endpoint)
        for changed in self._listeners:
            changed(endpoint)
        return endpoint

    def _check_host(self, host: str) -> None:
        """Say early what the poster would refuse at each delivery; names it can only judge when it resolves them."""
        if self._private_allowed:
            return
        try:
            is_allowed = is_public(host)
        except ValueError:
            is_allowed = "." in host.rstrip(".") and not host.rstrip(".").endswith(
                (".localhost", ".local", ".internal")
            )
        if not is_allowed:
            raise Refusal(NoticeReason.WEBHOOK_TARGET_FORBIDDEN, field="url")

"""The institution's own keys at its gateways: made at the first start, kept sealed, renewed when the operator says so."""

import asyncio

from cryptography import x509

from hutong.gateways import keys
from hutong.gateways.platform import PLATFORM_KEYS, KeyUse, PlatformKey, SigningKey, seal_label
from hutong.institution.sealing import SealingKeys
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import Shelf, decided

SERIAL_BITS = 159
_PUBLIC_KEY_ID_DIGITS = 28
_USES = (KeyUse.WECHATPAY_CERTIFICATE, KeyUse.WECHATPAY_PUBLIC_KEY, KeyUse.ALIPAY)


class PlatformService:
    """All of them are in memory: a few, for ever."""

    def __init__(self, node: NodeRuntime, sealing: SealingKeys, pool: WorkerPool, name: str) -> None:
        self._node = node
        self._sealing = sealing
        self._pool = pool
        self._name = name
        self._all = Shelf(PLATFORM_KEYS, node.journal, node.store)
        self._open: dict[KeyUse, list[SigningKey]] = {use: [] for use in KeyUse}
        self._preparing = asyncio.Lock()

    async def start(self) -> None:
        """Open what is kept."""
        for row in await self._all.load_all():
            self._remember(row)

    async def prepare(self) -> None:
        """Make what there is none of: before the first account, and never again. An institution without gateways has none."""
        async with self._preparing:
            for use in (KeyUse.AUTHORITY, *_USES):
                if not self._open[use]:
                    await self._make(use)

    def current(self, use: KeyUse) -> SigningKey:
        """What signs now."""
        return self._open[use][-1]

    def listed(self, use: KeyUse) -> list[SigningKey]:
        """All that somebody may still verify with, oldest first."""
        return list(self._open[use])

    def by_serial(self, serial: str) -> SigningKey | None:
        """The WeChat Pay key of this serial, if it is one of ours."""
        for use in (KeyUse.WECHATPAY_CERTIFICATE, KeyUse.WECHATPAY_PUBLIC_KEY):
            for key in self._open[use]:
                if key.serial == serial:
                    return key
        return None

    async def renew(self, use: KeyUse) -> SigningKey:
        """Sign with a new key from now on; the one before stays listed."""
        return await self._make(use)

    def certify(self, name: str, public_pem: str) -> str:
        """The certificate of a merchant's key, in PEM. Refuses KEY_UNUSABLE."""
        issuer = self.current(KeyUse.AUTHORITY)
        certificate = keys.issue(
            name,
            self._name,
            keys.public_key(public_pem),
            issuer=x509.load_pem_x509_certificate(issuer.certificate.encode()),
            issuer_key=issuer.private,
            serial=self._serial(),
            now_ns=self._node.clock.now_ns(),
        )
        return keys.certificate_pem(certificate)

    async def _make(self, use: KeyUse) -> SigningKey:
        private = await self._pool.run(keys.new_key)
        pem = keys.private_pem(private)
        now_ns = self._node.clock.now_ns()
        if use is KeyUse.AUTHORITY:
            made = keys.issue(
                f"{self._name} Gateway Root",
                self._name,
                private.public_key(),
                issuer=None,
                issuer_key=private,
                serial=self._serial(),
                now_ns=now_ns,
            )
            certificate = keys.certificate_pem(made)
        else:
            certificate = self.certify(f"{self._name} {use.value.title()}", keys.public_pem(private.public_key()))
        if use is KeyUse.WECHATPAY_PUBLIC_KEY:
            serial = "PUB_KEY_ID_" + str(self._node.randomness.getrandbits(128)).zfill(39)[-_PUBLIC_KEY_ID_DIGITS:]
        else:
            serial = keys.certificate_serial(certificate)

        def put() -> PlatformKey:
            id_ = self._node.mint.mint()
            row = PlatformKey(
                id=id_,
                use=use.value,
                serial=serial,
                certificate=certificate,
                sealed=self._sealing.seal(pem, seal_label(id_)),
                valid_from_ns=now_ns,
                retired_ns=0,
            )
            self._all.put(row)
            return row

        return self._remember(await decided(self._node.journal, put))

    def _serial(self) -> int:
        return self._node.randomness.getrandbits(SERIAL_BITS) | 1 << (SERIAL_BITS - 1)

    def _remember(self, row: PlatformKey) -> SigningKey:
        private = keys.private_key(self._sealing.unseal(row.sealed, seal_label(row.id)))
        opened = SigningKey(row, private, keys.public_pem(private.public_key()))
        self._open[KeyUse(row.use)].append(opened)
        return opened

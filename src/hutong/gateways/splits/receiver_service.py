"""Naming those whom a merchant splits to."""

from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.ports import Merchants, People
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver import (
    RECEIVERS,
    RELATION_LENGTH_MAX,
    Receiver,
    SplitReceiver,
    receiver_key,
)
from hutong.institution.merchants.staff_key import Right
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided


class ReceiverService:
    """Scoped to the merchant that is paid, at the door its software comes through."""

    def __init__(self, node: NodeRuntime, people: People, merchants: Merchants) -> None:
        self._node = node
        self._people = people
        self._merchants = merchants
        self._receivers = Shelf(RECEIVERS, node.journal, node.store, by=("merchant_id",))

    async def add(
        self, caller: Caller, receiver: Receiver, *, relation: str, custom_relation: str = "", name: str = ""
    ) -> SplitReceiver:
        """
        From now on parts may go to this receiver. A `name`, where one is given, must be the receiver's.

        Refuses:  ROLE_MAY_NOT; the text refusals; RECEIVER_UNKNOWN; RECEIVER_IS_ONESELF; RECEIVER_NAME_DIFFERS.
        Repeats:  the receiver, with the relation as it is told now.
        """
        caller.key.check_right(Right.REFUND)
        check_text("relation_type", relation, length_max=RELATION_LENGTH_MAX, empty=True)
        check_text("custom_relation", custom_relation, length_max=RELATION_LENGTH_MAX, empty=True)
        receiver.check_somebody()
        if receiver.merchant_id == caller.key.merchant_id:
            raise Refusal(SplitReason.RECEIVER_IS_ONESELF, field="account")

        def add() -> SplitReceiver:
            self._check_name(receiver, name)
            known = self._known(caller, receiver)
            wanted = SplitReceiver(
                id=receiver_key(caller.key.merchant_id, caller.door, receiver),
                merchant_id=caller.key.merchant_id,
                type=receiver.type,
                account=receiver.account,
                receiver_merchant_id=receiver.merchant_id,
                user_id=receiver.user_id,
                relation=relation,
                custom_relation=custom_relation,
                created_ns=known.created_ns if known is not None else self._node.clock.now_ns(),
                removed_ns=0,
            )
            if wanted != known:
                self._receivers.put(wanted)
            return wanted

        return await decided(self._node.journal, add)

    async def remove(self, caller: Caller, receiver: Receiver) -> None:
        """Nothing goes there any more; what went there stays told. Refuses ROLE_MAY_NOT. Repeats: nothing changes."""
        caller.key.check_right(Right.REFUND)

        def remove() -> None:
            known = self._known(caller, receiver)
            if known is not None and not known.removed_ns:
                self._receivers.put(replace(known, removed_ns=self._node.clock.now_ns()))

        await decided(self._node.journal, remove)

    def named(self, caller: Caller) -> list[SplitReceiver]:
        """Whom the merchant may split to at this door. May raise `Cold`."""
        return [
            row
            for row in self._receivers.find("merchant_id", caller.key.merchant_id)
            if not row.removed_ns
            and row.id
            == receiver_key(caller.key.merchant_id, caller.door, Receiver(type=row.type, account=row.account))
        ]

    def check_named(self, caller: Caller, receiver: Receiver) -> None:
        """Refuses RECEIVER_NOT_NAMED. May raise `Cold`."""
        known = self._known(caller, receiver)
        if known is None or known.removed_ns:
            raise Refusal(SplitReason.RECEIVER_NOT_NAMED, field="account", account=receiver.account)

    def takes(self, receiver: Receiver, now_ns: int) -> bool:
        """Whether it can be given anything now: it is neither closed nor stopped. May raise `Cold`."""
        try:
            if receiver.merchant_id:
                self._merchants.merchant(receiver.merchant_id).check_open()
            else:
                self._people.user(receiver.user_id).may_receive(now_ns)
        except Refusal:
            return False
        return True

    def _known(self, caller: Caller, receiver: Receiver) -> SplitReceiver | None:
        return self._receivers.get(receiver_key(caller.key.merchant_id, caller.door, receiver))

    def _check_name(self, receiver: Receiver, name: str) -> None:
        names = []
        if receiver.merchant_id:
            merchant = self._merchants.merchant(receiver.merchant_id)
            names += [merchant.legal_name, merchant.name]
        else:
            names.append(self._people.user(receiver.user_id).name)
        if name and name not in names:
            raise Refusal(SplitReason.RECEIVER_NAME_DIFFERS, field="name")

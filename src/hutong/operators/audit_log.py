"""
The audit log: what operators did, each entry bound to the one before it by its hash.

An entry's hash is SHA-256 over the line `hutong-audit-log/1`, a line feed, and this JSON array without spaces, in UTF-8:

    [number, at_ns, node, actor, action, subject, outcome, facts_digest, previous]

where digests and hashes are lower-case hexadecimal, and `previous` is the hash of the entry before (64 zeros for the first).
`facts_digest` is SHA-256 over the entry's salt (16 random bytes) and its facts as they are kept. So facts can be erased where
a person is to be forgotten, and neither can be guessed from what stays nor be put back otherwise.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.tables import BigInt, Bytes, Table, Text

DONE = "DONE"
NOTHING_BEFORE = bytes(32)
_DOMAIN = b"hutong-audit-log/1\n"
_SALT_BYTES = 16
_FACTS_MAX = 8_000


class AuditReason(Reason):
    """Why an audit log does not verify."""

    AUDIT_LOG_BROKEN = Kind.REFUSED, "NARR"


class AuditEntry(msgspec.Struct, frozen=True):
    """One act: who, what, on what, how it ended."""

    number: BigInt  # From 1, without gaps.
    at_ns: BigInt
    actor: Text
    action: Text
    subject: Text
    outcome: Text  # `DONE`, or the reason of the refusal.
    facts: Text  # JSON; empty when erased.
    salt: Bytes
    facts_digest: Bytes
    previous: Bytes
    hash: Bytes

    @property
    def erased(self) -> bool:
        """Its facts told of a person who was forgotten."""
        return not self.facts

    def expected_hash(self, node_id: str) -> bytes:
        """What the hash has to be."""
        told = (self.number, self.at_ns, node_id, self.actor, self.action, self.subject, self.outcome)
        line = msgspec.json.encode([*told, self.facts_digest.hex(), self.previous.hex()])
        return hashlib.sha256(_DOMAIN + line).digest()


AUDIT_LOG = Table("audit_log", AuditEntry)


class Head(msgspec.Struct, frozen=True):
    """The end of the chain: who noted it can later tell whether what came before was changed or cut off."""

    number: int
    hash: bytes


EMPTY = Head(0, NOTHING_BEFORE)


class Chain:
    """Verifies entries as they come, in order: `head` is how far it got."""

    def __init__(self, node_id: str, anchors: Iterable[Head] = ()) -> None:
        self.head = EMPTY
        self.erased = 0
        self._node_id = node_id
        self._anchors = {anchor.number: anchor.hash for anchor in anchors}

    def take(self, entry: AuditEntry) -> None:
        """Refuses AUDIT_LOG_BROKEN, saying at which number and what does not fit."""
        number = self.head.number + 1
        if entry.number != number:
            raise _broken(number, f"entry {number} is missing")
        if entry.previous != self.head.hash:
            raise _broken(number, "it does not follow the entry before it")
        if entry.hash != entry.expected_hash(self._node_id):
            raise _broken(number, "it was changed")
        if entry.erased:
            self.erased += 1
        elif entry.facts_digest != facts_digest(entry.salt, entry.facts):
            raise _broken(number, "its facts were changed")
        if self._anchors.get(number, entry.hash) != entry.hash:
            raise _broken(number, "the anchor says otherwise")
        self.head = Head(number, entry.hash)

    def end(self) -> Head:
        """Refuses AUDIT_LOG_BROKEN, when an anchor lies behind the end."""
        beyond = [number for number in self._anchors if number > self.head.number]
        if beyond:
            raise _broken(self.head.number + 1, f"the log was cut: there was an entry {max(beyond)}")
        return self.head


class AuditLog:
    """A node's log. One for each life of a node: it knows the head without asking."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self._head: Head | None = None

    async def start(self) -> None:
        """Find the end of the chain; before the first `note`, and again without harm."""
        if self._head is not None:
            return
        newest = await self._node.store.greatest(AUDIT_LOG, "number")
        found = await self._node.store.find(AUDIT_LOG, "number", [newest]) if newest else []
        if self._head is None:  # Who asked at the same time may have noted something by now.
            self._head = Head(found[-1][1].number, found[-1][1].hash) if found else EMPTY

    @property
    def head(self) -> Head:
        """The end of the chain, what is not durable yet included."""
        assert self._head is not None, "start it first"
        return self._head

    def note(self, actor: str, action: str, subject: str, facts: Any, outcome: str = DONE) -> AuditEntry:
        """Append an entry to the decision under way."""
        head, randomness = self.head, self._node.randomness
        text, salt = _text(facts), randomness.randbytes(_SALT_BYTES)
        entry = AuditEntry(
            number=head.number + 1,
            at_ns=self._node.clock.now_ns(),
            actor=actor,
            action=action,
            subject=subject,
            outcome=outcome,
            facts=text,
            salt=salt,
            facts_digest=facts_digest(salt, text),
            previous=head.hash,
            hash=b"",
        )
        entry = msgspec.structs.replace(entry, hash=entry.expected_hash(self._node.node_id))
        self._node.journal.append(AUDIT_LOG, entry)
        self._head = Head(entry.number, entry.hash)
        return entry

    async def entries(self, after: int, limit: int) -> list[AuditEntry]:
        """Durable entries behind a number, in order."""
        numbers = range(after + 1, min(after + limit, self.head.number) + 1)
        return [entry for _, entry in await self._node.store.find(AUDIT_LOG, "number", numbers)]

    async def about(self, subject: str, words: Collection[str]) -> list[int]:
        """The numbers of entries that are on `subject`, or whose facts hold one of these words."""
        await self._node.journal.flushed()
        found = await self._node.store.scan(AUDIT_LOG)
        return [
            entry.number
            for _, entry in found
            if not entry.erased and (subject in entry.subject.split("/") or any(word in entry.facts for word in words))
        ]


def facts_digest(salt: bytes, facts: str) -> bytes:
    """What the chain holds of an entry's facts."""
    return hashlib.sha256(salt + facts.encode()).digest()


def _text(facts: Any) -> str:
    text = msgspec.json.encode(facts, enc_hook=str).decode()
    if len(text) <= _FACTS_MAX:
        return text
    return msgspec.json.encode(
        {"bytes": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    ).decode()


def _broken(number: int, why: str) -> Refusal:
    return Refusal(AuditReason.AUDIT_LOG_BROKEN, number=number, why=why)

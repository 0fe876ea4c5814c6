"""
Pictures of complaints: given by people and merchants, said in a complaint, fetched from the other side, shown, and let go.

They are in the database. In memory is what was last asked for, so much and no more, however many are kept: rows up to
`ROWS_MAX`, and bytes for a minute.

A picture is given first and said then: what was given is kept for a day under who gave it; with the words that name it, it gets a
row in that complaint, and goes when the complaint has been over for long. What the other side says names its pictures by
digest, and is fetched at once, piece by piece, through the switch: nobody is seen to look.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.institution.complaints.picture import (
    GIVEN_KEPT_NS,
    IN_CASE_MAX,
    MERCHANT_BYTES_MAX,
    MERCHANT_GIVEN_MAX,
    PERSON_BYTES_MAX,
    PERSON_GIVEN_MAX,
    PICTURE_PARTS,
    PICTURES,
    Case,
    Picture,
    PictureState,
    digest_of,
    parts_of,
    picture_id,
)
from hutong.institution.complaints.picture_file import BYTES_MAX, PictureFile, PictureKind, picture_file
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.recalls.recall import FIRST_WAIT_NS, Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf
from hutong.scheme.complaint_messages import PIECE_BYTES_MAX, ComplaintPictureAsked, ComplaintPiece
from hutong.scheme.messages import id_hex

log = structlog.get_logger()
_RENEWED_NS = NS_PER_HOUR  # What is given again within that stays as it is: nobody has a row for each try.
_UNDER_WAY_MAX = 4  # Fetched at once: each is in memory until it is whole.
_ASKED_NS = 7 * NS_PER_DAY  # What has not come by then does not come.
_CONTENTS_MAX = 32 * 1024 * 1024  # Bytes in memory, of what was last looked at.
_CONTENTS_NS = 60 * NS_PER_S
_LOOKED_AT_ONCE = 200  # Pictures, at each tick.
_LOOKED_NS = 60 * NS_PER_S  # Behind the last of them, until they are looked at anew.
_PAGE = 2_000  # At a start.
ROWS_MAX = 10_000  # In memory.


@dataclass(slots=True)
class _Arriving:
    """What has come of a picture."""

    heard_ns: int
    content: bytearray = field(default_factory=bytearray)


class PictureService:
    """What may be cold says so; everything else has been looked up by what is called before it in the same decision."""

    def __init__(
        self,
        node: NodeRuntime,
        send: Callable[[str, ComplaintPictureAsked | ComplaintPiece], None],
        case_of: Callable[[int], Case | None],
    ) -> None:
        self._node = node
        self._send = send
        self._case_of = case_of
        self.pictures = Shelf(PICTURES, node.journal, node.store, by=("place",), rows_max=ROWS_MAX)
        self.counts: Counter[str] = Counter()  # By state.
        self._contents: dict[int, bytes] = {}
        self._contents_ns = 0
        self._arriving: dict[int, _Arriving] = {}  # What is under way.
        self._wanted: dict[int, None] = {}  # What waits for its turn, in order.
        self._rounds = Rounds()
        self._looked_to = 0  # The position behind which what is kept is looked at next.
        self._looked_ns = 0
        self._looking = False

    async def load(self) -> None:
        """Count them, and note what had not come whole: without keeping any in memory."""
        for state in (PictureState.HELD, PictureState.WANTED):
            async for picture in self._all(state):
                self.counts[state] += 1
                if state is PictureState.WANTED:
                    self._wanted[picture.id] = None

    async def _all(self, state: PictureState) -> AsyncIterator[Picture]:
        """All that are in this state now, of which most have come through another."""
        store, after = self._node.store, 0
        while page := await store.page(PICTURES, "state", state.value, after=after, limit=_PAGE):
            after = page[-1][0]
            newest = dict.fromkeys(picture.id for _, picture in page)
            last = {picture.id: position for position, picture in await store.find(PICTURES, "id", newest)}
            for position, picture in page:
                if last.get(picture.id) == position:
                    yield picture

    # Giving and saying.

    def give(self, giver: int, file: PictureFile, *, is_merchant: bool = False) -> Picture:
        """
        Keep a picture for a day: who gave it may say it in a complaint.

        May be cold.

        Refuses:  TOO_MANY_PICTURES; TOO_MANY_PICTURE_BYTES.
        Repeats:  the same, for 23 hours from then on at least.
        """
        digest = digest_of(file.content)
        known = self.pictures.get(picture_id(giver, digest))
        if known is not None and known.state == PictureState.HELD:
            now_ns = self._node.clock.now_ns()
            if now_ns > known.created_ns + _RENEWED_NS:
                known = replace(known, created_ns=now_ns)
                self._put(known, PictureState.HELD)
            return known
        held = [each.size for each in self.pictures.find("place", giver) if each.state == PictureState.HELD]
        most = MERCHANT_GIVEN_MAX if is_merchant else PERSON_GIVEN_MAX
        if len(held) >= most:
            raise Refusal(ComplaintReason.TOO_MANY_PICTURES, pictures_max=most)
        room = MERCHANT_BYTES_MAX if is_merchant else PERSON_BYTES_MAX
        if sum(held) + len(file.content) > room:
            raise Refusal(ComplaintReason.TOO_MANY_PICTURE_BYTES, bytes_max=room)
        return self._hold(giver, 0 if is_merchant else giver, digest, file, known)

    def chosen(self, place: int, giver: int, digests: Collection[str]) -> list[tuple[str, PictureFile]]:
        """
        What somebody wants to say in a complaint, of what they gave. May be cold.

        Refuses:  PICTURE_UNKNOWN, also for what others gave; TOO_MANY_PICTURES.
        """
        fresh = [digest for digest in digests if not self._is_here(place, digest)]
        if len(self.pictures.find("place", place)) + len(fresh) > IN_CASE_MAX:
            raise Refusal(ComplaintReason.TOO_MANY_PICTURES, pictures_max=IN_CASE_MAX)
        found = []
        for digest in fresh:
            given = self.pictures.get(picture_id(giver, digest))
            found.append((digest, self._opened(given)))
        return found

    def say(self, place: int, user_id: int, chosen: Iterable[tuple[str, PictureFile]]) -> None:
        """They are in the complaint now. What `chosen` has just looked up is not cold."""
        known = [(self.pictures.get(picture_id(place, digest)), digest, file) for digest, file in chosen]
        for was, digest, file in known:
            self._hold(place, user_id, digest, file, was)

    # Showing.

    def look(self, place: int, digest: str) -> PictureFile:
        """
        One of a complaint. May be cold.

        Refuses:  PICTURE_ON_ITS_WAY; PICTURE_UNKNOWN, also once it is gone.
        """
        picture = self.pictures.get(picture_id(place, digest))
        if picture is not None and picture.state == PictureState.WANTED:
            raise Refusal(ComplaintReason.PICTURE_ON_ITS_WAY)
        return self._opened(picture)

    def states(self, place: int) -> dict[str, str]:
        """How each picture of a complaint stands, by its digest; what has gone may not be among them. May be cold."""
        return {each.digest: each.state for each in self.pictures.find("place", place)}

    # Fetching from the other side.

    def look_up(self, place: int, digests: Collection[str]) -> None:
        """Bring into memory what `want` asks for. May be cold."""
        self.pictures.find("place", place)
        for digest in digests:
            self.pictures.get(picture_id(place, digest))

    def want(self, place: int, user_id: int, digests: Collection[str]) -> None:
        """The other side has said these. What is too many for one complaint is not fetched. Behind `look_up` it is not cold."""
        room = IN_CASE_MAX - len(self.pictures.find("place", place))
        said = [(self.pictures.get(picture_id(place, digest)), digest) for digest in digests]
        for known, digest in said:
            if (known is None and room > 0) or (known is not None and known.state == PictureState.GONE):
                room -= 1
                picture = _picture(place, user_id, digest, self._node.clock.now_ns())
                self._put(picture, None if known is None else PictureState.GONE)
                self._wanted[picture.id] = None
        self._fetch_soon()

    def asked(self, message: ComplaintPictureAsked, place: int) -> None:
        """hutong.picture: the other side asks for a piece. What is not here, or not for them, is answered by a size of 0."""
        picture = self.pictures.get(picture_id(place, message.digest))
        content = b""
        if picture is not None and picture.state == PictureState.HELD:
            content = self._content(picture.id)
        begin = message.offset
        piece = ComplaintPiece(
            complaint_id=message.complaint_id,
            payment_id=message.payment_id,
            debtor_agent=message.debtor_agent,
            creditor_agent=message.creditor_agent,
            side=message.side,
            digest=message.digest,
            offset=begin,
            size=len(content),
            content=b64encode(content[begin : begin + PIECE_BYTES_MAX]).decode(),
        )
        self._send(message.debtor_agent if message.is_debtors else message.creditor_agent, piece)

    def told(self, message: ComplaintPiece, place: int) -> None:
        """hutong.pictured: a piece of what was asked for. What comes late, twice or out of order changes nothing."""
        id_ = picture_id(place, message.digest)
        picture, arriving = self.pictures.get(id_), self._arriving.get(id_)
        if picture is None or picture.state != PictureState.WANTED or arriving is None:
            return
        if not 0 < message.size <= BYTES_MAX:
            self._give_up(picture, "the other side does not have it")
            return
        if message.offset != len(arriving.content):
            return
        try:
            arriving.content += b64decode(message.content, validate=True)
        except NotBase64:
            return
        arriving.heard_ns = self._node.clock.now_ns()
        if len(arriving.content) >= message.size:
            self._take(picture, bytes(arriving.content))
        elif message.content:
            self._ask(picture)

    def tick(self) -> None:
        """Ask again for what has not come; let go what has had its time."""
        now_ns = self._node.clock.now_ns()
        self._node.decide_each(partial(self._again, id_) for id_ in self._rounds.due(now_ns))
        if self._wanted:
            self._node.decide_each([self._fetch_next])
        if now_ns > self._contents_ns + _CONTENTS_NS:
            self._contents.clear()  # A person who was forgotten meanwhile is in no memory, either.
            self._contents_ns = now_ns
        if not self._looking and (self._looked_to or now_ns > self._looked_ns + _LOOKED_NS):
            self._looking = True
            self._node.spawn(self._look_for_what_is_over(now_ns))

    # Within a decision.

    def _hold(self, place: int, user_id: int, digest: str, file: PictureFile, was: Picture | None) -> Picture:
        picture = replace(
            _picture(place, user_id, digest, self._node.clock.now_ns()),
            kind=file.kind.value,
            size=len(file.content),
            state=PictureState.HELD.value,
        )
        for part in parts_of(picture, file.content):
            self._node.journal.append(PICTURE_PARTS, part)
        self._put(picture, None if was is None else PictureState(was.state))
        self._contents.pop(picture.id, None)
        return picture

    def _put(self, picture: Picture, was: PictureState | None) -> None:
        """A new state, behind the one it was in. Nothing is looked up here: others were put before it, and memory is small."""
        if was is not None:
            self.counts[was] -= 1
        self.counts[PictureState(picture.state)] += 1
        self.pictures.put(picture)

    def _is_here(self, place: int, digest: str) -> bool:
        picture = self.pictures.get(picture_id(place, digest))
        return picture is not None and picture.state == PictureState.HELD

    def _opened(self, picture: Picture | None) -> PictureFile:
        """Refuses PICTURE_UNKNOWN. May be cold."""
        content = b""
        if picture is not None and picture.state == PictureState.HELD:
            content = self._content(picture.id)
        if picture is None or not content:
            raise Refusal(ComplaintReason.PICTURE_UNKNOWN)
        return PictureFile(PictureKind(picture.kind), content)

    def _content(self, id_: int) -> bytes:
        """All bytes; none, if they have gone. May be cold."""
        found = self._contents.get(id_)
        if found is None:
            raise Cold(lambda: self._load(id_))
        return found

    async def _load(self, id_: int) -> None:
        found = await self._node.store.find(PICTURE_PARTS, "picture_id", [id_])
        # By number, not by row: what was let go and given again may have rows of the same numbers, with the same bytes.
        parts = {part.number: part.content for _, part in found}
        content = b"".join(parts[number] for number in sorted(parts))
        while self._contents and sum(map(len, self._contents.values())) + len(content) > _CONTENTS_MAX:
            del self._contents[next(iter(self._contents))]
        self._contents[id_] = content

    def _take(self, picture: Picture, content: bytes) -> None:
        """All has come: keep it, if it is what was said and a picture."""
        try:
            if digest_of(content) != picture.digest:
                raise Refusal(ComplaintReason.PICTURE_NOT_RECOGNISED, problem="another digest")
            file = picture_file(content)
        except Refusal as refusal:
            self._give_up(picture, str(refusal))
            return
        self._hold(picture.place, picture.user_id, picture.digest, file, picture)
        self._done_with(picture)

    def _give_up(self, picture: Picture, why: str) -> None:
        log.warning("picture_not_fetched", place=id_hex(picture.place), digest=picture.digest, why=why)
        self._put(replace(picture, state=PictureState.GONE.value), PictureState.WANTED)
        self._done_with(picture)

    def _done_with(self, picture: Picture) -> None:
        self._arriving.pop(picture.id, None)
        self._rounds.end(picture.id)
        self._fetch_soon()

    def _fetch_soon(self) -> None:
        """A decision of its own: the next may be cold, and this one has appended."""
        self._node.journal.effect(partial(self._node.decide_each, [self._fetch_next]))

    def _fetch_next(self) -> None:
        while self._wanted and len(self._arriving) < _UNDER_WAY_MAX:
            id_ = next(iter(self._wanted))
            picture = self.pictures.get(id_)  # May be cold.
            del self._wanted[id_]
            if picture is not None and picture.state == PictureState.WANTED:
                now_ns = self._node.clock.now_ns()
                self._arriving[id_] = _Arriving(heard_ns=now_ns)
                self._rounds.begin(id_, now_ns)
                self._ask(picture)

    def _ask(self, picture: Picture) -> None:
        case = self._case_of(picture.place)
        assert case is not None, "pictures are wanted of complaints alone"
        asked = ComplaintPictureAsked(
            complaint_id=id_hex(case.complaint_id),
            payment_id=id_hex(case.payment_id),
            debtor_agent=case.debtor_agent,
            creditor_agent=case.creditor_agent,
            side=case.side,
            digest=picture.digest,
            offset=len(self._arriving[picture.id].content),
        )
        self._send(case.other_agent, asked)

    def _again(self, id_: int) -> None:
        picture, arriving = self.pictures.get(id_), self._arriving.get(id_)
        if picture is None or arriving is None:
            return
        now_ns = self._node.clock.now_ns()
        if now_ns < arriving.heard_ns + FIRST_WAIT_NS:
            self._rounds.at(id_, arriving.heard_ns + FIRST_WAIT_NS)
        elif now_ns > picture.created_ns + _ASKED_NS:
            self._give_up(picture, "the other side does not answer")
        elif self._wanted:
            # Whoever is silent must not keep others waiting: from the beginning, behind all of them.
            del self._arriving[id_]
            self._wanted[id_] = None
            self._fetch_next()
        else:
            self._rounds.again(id_, now_ns)
            self._ask(picture)

    # Letting go.

    async def _look_for_what_is_over(self, now_ns: int) -> None:
        """Some of what is kept, from where it was looked at last; behind the end it begins anew, a while later."""
        try:
            store, after = self._node.store, self._looked_to
            page = await store.page(PICTURES, "state", PictureState.HELD.value, after=after, limit=_LOOKED_AT_ONCE)
            # Read here and not kept: whatever is looked at in passing would push out what somebody asks for.
            found = await store.find(PICTURES, "id", {picture.id for _, picture in page})
            newest = {picture.id: picture for _, picture in found}
            newest |= {id_: entry[1] for id_ in newest if (entry := self.pictures.entry(id_)) is not None}
            kept = [picture for picture in newest.values() if picture.state == PictureState.HELD]
            over = [picture for picture in kept if self._is_over(picture, now_ns)]
            if over:
                await self._let_go(over)
            self._looked_to, self._looked_ns = page[-1][0] if len(page) == _LOOKED_AT_ONCE else 0, now_ns
        finally:
            self._looking = False

    def _is_over(self, picture: Picture, now_ns: int) -> bool:
        case = self._case_of(picture.place)
        if case is None:
            return now_ns > picture.created_ns + GIVEN_KEPT_NS
        return case.kept_until_ns is not None and now_ns > case.kept_until_ns

    async def _let_go(self, over: list[Picture]) -> None:
        """
        The bytes first: a crash between the two leaves nothing that nobody would come back for.

        What was known of them goes with them, so that it is looked at no more; last is a row that says so.
        """
        ids = [each.id for each in over]
        for table, column in ((PICTURE_PARTS, "picture_id"), (PICTURES, "id")):
            await self._node.store.delete(table.name, column, ids)
        self._node.decide(partial(self._gone, over))

    def _gone(self, over: list[Picture]) -> None:
        for picture in over:
            self._contents.pop(picture.id, None)
            self._put(replace(picture, state=PictureState.GONE.value, place=0), PictureState.HELD)


def _picture(place: int, user_id: int, digest: str, now_ns: int) -> Picture:
    return Picture(
        id=picture_id(place, digest),
        place=place,
        user_id=user_id,
        digest=digest,
        kind="",
        size=0,
        state=PictureState.WANTED.value,
        created_ns=now_ns,
    )

"""
Pictures of complaints: given by people and merchants, said in a complaint, fetched from the other side, shown, and let go.

A picture is given first and said then: what was given is kept for a day under who gave it; with the words that name it, it gets a
row in that complaint, and goes when the complaint has been over for long. What the other side says names its pictures by
digest, and is fetched at once, piece by piece, through the switch: nobody is seen to look.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import structlog
from msgspec.structs import replace

from hutong.institution.complaints.picture import (
    GIVEN_KEPT_NS,
    IN_CASE_MAX,
    MERCHANT_GIVEN_MAX,
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
_LOOKED_AT_ONCE = 200  # Places, at each tick.


@dataclass(slots=True)
class _Arriving:
    """What has come of a picture."""

    heard_ns: int
    content: bytearray = field(default_factory=bytearray)


class PictureService:
    """Every picture is known in memory; its bytes are loaded when somebody looks."""

    def __init__(
        self,
        node: NodeRuntime,
        send: Callable[[str, ComplaintPictureAsked | ComplaintPiece], None],
        case_of: Callable[[int], Case | None],
    ) -> None:
        self._node = node
        self._send = send
        self._case_of = case_of
        self.pictures = Shelf(PICTURES, node.journal, node.store, by=("place",))
        self.counts: Counter[str] = Counter()  # By state.
        self._contents: dict[int, bytes] = {}
        self._contents_ns = 0
        self._arriving: dict[int, _Arriving] = {}  # What is under way.
        self._wanted: dict[int, None] = {}  # What waits for its turn, in order.
        self._rounds = Rounds()
        self._places: set[int] = set()  # Where something is kept, or is to come.
        self._looking: Iterator[int] = iter(())

    async def load(self) -> None:
        """Every picture, without its bytes."""
        for picture in await self.pictures.load_all():
            self.counts[picture.state] += 1
            if picture.state != PictureState.GONE:
                self._places.add(picture.place)

    def resume(self) -> None:
        """After a restart: what had not come whole is asked for again."""
        for picture in self.pictures.everything():
            if picture.state == PictureState.WANTED:
                self._wanted[picture.id] = None

    # Giving and saying.

    def give(self, giver: int, file: PictureFile, *, is_merchant: bool = False) -> Picture:
        """
        Keep a picture for a day: who gave it may say it in a complaint.

        Refuses:  TOO_MANY_PICTURES.
        Repeats:  the same, for 23 hours from then on at least.
        """
        digest = digest_of(file.content)
        known = self.pictures.get(picture_id(giver, digest))
        if known is not None and known.state == PictureState.HELD:
            now_ns = self._node.clock.now_ns()
            if now_ns > known.created_ns + _RENEWED_NS:
                known = replace(known, created_ns=now_ns)
                self._put(known)
            return known
        held = sum(each.state == PictureState.HELD for each in self.pictures.find("place", giver))
        most = MERCHANT_GIVEN_MAX if is_merchant else PERSON_GIVEN_MAX
        if held >= most:
            raise Refusal(ComplaintReason.TOO_MANY_PICTURES, pictures_max=most)
        return self._hold(giver, 0 if is_merchant else giver, digest, file)

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
        """They are in the complaint now."""
        for digest, file in chosen:
            self._hold(place, user_id, digest, file)

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
        """How each picture of a complaint stands, by its digest."""
        return {each.digest: each.state for each in self.pictures.find("place", place)}

    # Fetching from the other side.

    def want(self, place: int, user_id: int, digests: Collection[str]) -> None:
        """The other side has said these. What is too many for one complaint is not fetched."""
        room = IN_CASE_MAX - len(self.pictures.find("place", place))
        for digest in digests:
            id_ = picture_id(place, digest)
            known = self.pictures.get(id_)
            if (known is None and room > 0) or (known is not None and known.state == PictureState.GONE):
                room -= 1
                self._put(_picture(place, user_id, digest, self._node.clock.now_ns()))
                self._wanted[id_] = None
        self._node.journal.effect(partial(self._node.decide_each, [self._fetch_next]))

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
        places = list(islice(self._looking, _LOOKED_AT_ONCE))
        if not places:
            self._looking = iter(list(self._places))
            places = list(islice(self._looking, _LOOKED_AT_ONCE))
        for place in places:
            self._let_go_of(place, now_ns)

    # Within a decision.

    def _hold(self, place: int, user_id: int, digest: str, file: PictureFile) -> Picture:
        picture = replace(
            _picture(place, user_id, digest, self._node.clock.now_ns()),
            kind=file.kind.value,
            size=len(file.content),
            state=PictureState.HELD.value,
        )
        for part in parts_of(picture, file.content):
            self._node.journal.append(PICTURE_PARTS, part)
        self._put(picture)
        self._contents.pop(picture.id, None)
        return picture

    def _put(self, picture: Picture) -> None:
        known = self.pictures.get(picture.id)
        if known is not None:
            self.counts[known.state] -= 1
        self.counts[picture.state] += 1
        self.pictures.put(picture)
        if picture.state != PictureState.GONE:
            self._places.add(picture.place)

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
        self._hold(picture.place, picture.user_id, picture.digest, file)
        self._done_with(picture)

    def _give_up(self, picture: Picture, why: str) -> None:
        log.warning("picture_not_fetched", place=id_hex(picture.place), digest=picture.digest, why=why)
        self._put(replace(picture, state=PictureState.GONE.value))
        self._done_with(picture)

    def _done_with(self, picture: Picture) -> None:
        self._arriving.pop(picture.id, None)
        self._rounds.end(picture.id)
        self._fetch_next()

    def _fetch_next(self) -> None:
        while self._wanted and len(self._arriving) < _UNDER_WAY_MAX:
            id_ = next(iter(self._wanted))
            del self._wanted[id_]
            picture = self.pictures.get(id_)
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

    def _let_go_of(self, place: int, now_ns: int) -> None:
        case = self._case_of(place)
        if case is None:
            over = [each for each in self._kept(place) if now_ns > each.created_ns + GIVEN_KEPT_NS]
        elif case.kept_until_ns is not None and now_ns > case.kept_until_ns:
            over = self._kept(place)
        else:
            return
        if over:
            self._node.spawn(self._let_go(place, over))
        if len(over) == len(self._kept(place)):
            self._places.discard(place)

    def _kept(self, place: int) -> list[Picture]:
        return [each for each in self.pictures.find("place", place) if each.state == PictureState.HELD]

    async def _let_go(self, place: int, over: list[Picture]) -> None:
        """The bytes first: a crash between the two leaves nothing that nobody would come back for."""
        try:
            await self._node.store.delete(PICTURE_PARTS.name, "picture_id", [each.id for each in over])
        except Exception:
            self._places.add(place)
            raise
        self._node.decide(partial(self._gone, over))

    def _gone(self, over: list[Picture]) -> None:
        for picture in over:
            self._contents.pop(picture.id, None)
            self._put(replace(picture, state=PictureState.GONE.value))


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

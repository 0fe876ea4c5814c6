"""Pictures on pages of complaints: chosen in a form, made to fit, and looked at by who may see the complaint."""

from collections.abc import Callable
from functools import partial

from litestar import Response

from hutong.codes.picture import shrunk
from hutong.institution.complaints.picture import is_digest
from hutong.institution.complaints.picture_file import BYTES_MAX, PictureFile, picture_file
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.complaint_messages import PICTURES_MAX
from hutong.web.form import Form
from hutong.web.page import HEADERS, AnyRequest, Pages

ACCEPTED = "image/png,image/jpeg,image/bmp,image/webp"  # What a browser offers to choose; telephones turn theirs into one of these.
_SIDE_MAX = 2_000  # What a telephone's photograph is made small to.
_GIVEN = "given"


class ComplaintPictures:
    """What wallet, console and desk do with pictures."""

    def __init__(self, institution: InstitutionNode, pages: Pages) -> None:
        self._institution = institution
        self._pages = pages

    async def chosen(
        self, request: AnyRequest, form: Form, giver: int, *, is_merchant: bool = False
    ) -> tuple[str, ...]:
        """
        The pictures of a form: those it carries along from before, and the files that were chosen, given now.

        Refuses:  COMPLAINT_TOO_LONG for too many; as `picture_file`, `PictureService.give`; TOO_MANY_REQUESTS without a free hand.
        """
        known = carried(form)
        files = await self._pages.uploads(request, "pictures")
        if len(known) + len(files) > PICTURES_MAX:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LONG, field="pictures", pictures_max=PICTURES_MAX)
        pictures, found = self._institution.complaints.pictures, list(known)
        for content in files:
            if self._institution.pool.is_full:
                raise Refusal(HttpReason.TOO_MANY_REQUESTS)
            file = await self._institution.pool.run(partial(_fitting, content))
            give = partial(pictures.give, giver, file, is_merchant=is_merchant)
            found.append((await decided(self._institution.node.journal, give)).digest)
        return tuple(dict.fromkeys(found))

    async def shown(self, place: Callable[[], int], digest: str) -> Response[bytes]:
        """A picture, and nothing that a browser could take for anything else."""
        look = self._institution.complaints.pictures.look
        file = await warmed(self._institution.node.journal, lambda: look(place(), digest))
        headers = HEADERS | {
            "content-security-policy": "default-src 'none'; sandbox",
            "content-disposition": f'inline; filename="{digest[:8]}{file.kind.ending}"',
            "cross-origin-resource-policy": "same-origin",
        }
        return Response(file.content, media_type=file.kind.content_type, headers=headers)


def carried(form: Form) -> tuple[str, ...]:
    """What was given with the form before, and only the rest of it was not taken."""
    return tuple(filter(is_digest, form.text(_GIVEN).split()))[:PICTURES_MAX]


def _fitting(content: bytes) -> PictureFile:
    """As it is, or else made small: a telephone's photograph is bigger than what travels."""
    try:
        return picture_file(content)
    except Refusal as refusal:
        try:
            return picture_file(shrunk(content, side_max=_SIDE_MAX, bytes_max=BYTES_MAX))
        except Refusal:
            raise refusal from None

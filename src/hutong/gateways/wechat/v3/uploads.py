"""
Pictures and films that merchants upload, and pictures of complaints as they are fetched.

Pictures for complaints are kept for a day, and longer where they are said. What is uploaded for products that are not here is
named by an id of its content, and not kept.
"""

import hashlib
from functools import partial

import msgspec

from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.gateways.wechat.v3 import upload
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.shape import Group, Text, read_body
from hutong.gateways.wire import WireAnswer

_META = Group(
    "meta",
    {
        "filename": Text("文件名称", 128, required=True),
        "sha256": Text("文件摘要", 64, required=True, length_min=64, pattern="[0-9a-fA-F]+"),
    },
)
_PICTURES, _FILMS = (
    (".jpg", ".jpeg", ".png", ".bmp"),
    (".avi", ".wmv", ".mpeg", ".mp4", ".mov", ".mkv", ".flv", ".f4v", ".m4v", ".rmvb"),
)
_PICTURE_BYTES_MAX, _FILM_BYTES_MAX = 2 * 1024 * 1024, 5 * 1024 * 1024


class _Kind(msgspec.Struct, frozen=True):
    endings: tuple[str, ...]
    bytes_max: int
    answer: str
    is_kept: bool = False


_PICTURE = _Kind(_PICTURES, _PICTURE_BYTES_MAX, "media_id", is_kept=True)
IMAGES = "/v3/merchant-service/images"
_PATHS = {
    "/v3/merchant/media/upload": _PICTURE,
    "/v3/merchant/media/video_upload": _Kind(_FILMS, _FILM_BYTES_MAX, "media_id"),
    f"{IMAGES}/upload": _PICTURE,
    "/v3/marketing/favor/media/image-upload": _Kind(_PICTURES, _PICTURE_BYTES_MAX, "media_url"),
}


_NEVER_A_PAGE = (("x-content-type-options", "nosniff"), ("cache-control", "no-store"))


class Uploads:
    """Every upload of the vendor's that takes one file, and the one download."""

    def __init__(self, complaints: ComplaintsService) -> None:
        self._complaints = complaints

    def endpoints(self) -> list[Endpoint]:
        uploads = [Endpoint("POST", path, "media", partial(self._upload, kind)) for path, kind in _PATHS.items()]
        return [*uploads, Endpoint("GET", f"{IMAGES}/{{media_id}}", "complaints", self._download)]

    async def _download(self, call: Call) -> WireAnswer:
        """The bytes alone: clients do not look for a signature here."""
        file = await self._complaints.picture(call.account, call.path["media_id"])
        return WireAnswer(body=file.content, content_type=file.kind.content_type, headers=_NEVER_A_PAGE)

    async def _upload(self, kind: _Kind, call: Call) -> WireAnswer:
        content_type = call.request.headers.get("content-type", "")
        if not upload.is_multipart(content_type):
            raise Fault(Code.PARAM_ERROR, "请求体不是合法的multipart/form-data")
        sent = upload.parse(content_type, call.request.body)
        meta = read_body(_META, sent.meta)
        if not meta["filename"].lower().endswith(kind.endings):
            raise param_error("/body/meta/filename", "file type", "文件格式不支持", meta["filename"])
        if len(sent.content) > kind.bytes_max:
            raise param_error("/body/file", "too large", f"文件大小超过 {kind.bytes_max // 1024 // 1024}M")
        digest = hashlib.sha256(sent.content).hexdigest()
        if digest != meta["sha256"].lower():
            raise param_error("/body/meta/sha256", "digest differs", "文件摘要与文件内容不一致", meta["sha256"])
        if kind.is_kept:
            return ok({"media_id": await self._complaints.give(call.account, sent.content)})
        media_id = f"{call.account.row.number}_{digest}"
        if kind.answer == "media_url":
            return ok({"media_url": f"https://{call.request.host}/v3/media/{media_id}"})
        return ok({"media_id": media_id})

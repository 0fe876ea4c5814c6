"""Multipart bodies: wechatpay-alipay specification, section 1.7."""

import pytest

from hutong.gateways.wechat.v3.errors import Fault
from hutong.gateways.wechat.v3.upload import Upload, is_multipart, parse

META = b'{"filename":"a.png","sha256":"00"}'
BODY = (
    b'--line\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n' + META + b"\r\n"
    b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n--lin\r\n\xff\r\n--line--\r\n"
)
READ = Upload(META, "a.png", b"\x89PNG\r\n--lin\r\n\xff")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=line", 'Multipart/Form-Data; boundary="line"', "multipart/form-data"],
)
def test_both_parts_are_read_to_the_byte_also_without_a_boundary(content_type: str) -> None:
    assert is_multipart(content_type)
    assert parse(content_type, BODY) == READ


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"--",
        b"--line--\r\n",
        b"--other" + BODY[6:],
        BODY[: len(META) + 100],
        BODY.replace(b'"meta"', b'"data"'),
    ],
)
def test_a_body_without_both_parts_is_refused(body: bytes) -> None:
    with pytest.raises(Fault):
        parse("multipart/form-data; boundary=line", body)


def test_json_is_no_upload() -> None:
    assert not is_multipart("application/json")

"""What is read as a document, what is not, and that what is written reads the same."""

import contextlib
import string
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.document import Malformed

NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)
TEXTS = st.text(max_size=40).map(document.sayable)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("<xml><a>1</a><b><![CDATA[x<y&z]]></b></xml>", {"a": "1", "b": "x<y&z"}),
        ("<xml>\n  <a> x </a>\n</xml>", {"a": " x "}),  # What is signed isn't trimmed.
        ("<xml><a>\n  <![CDATA[x]]>\n</a></xml>", {"a": "x"}),
        ("<xml><a><![CDATA[x]]]]><![CDATA[>y]]></a></xml>", {"a": "x]]>y"}),
        ("<xml><a></a><b/></xml>", {"a": "", "b": ""}),
        ("<xml><a>&lt;&#x4E2D;&amp;</a></xml>", {"a": "<中&"}),
        ('<?xml version="1.0" encoding="utf-8"?>\n<xml><a type="s">中</a></xml>', {"a": "中"}),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><xml><a>中</a></xml>', {"a": "中"}),  # UTF-8 whatever it says.
        ("\ufeff<xml><a>1</a></xml>", {"a": "1"}),
        ("<xml/>", {}),
    ],
)
def test_a_document_is_read(body: str, fields: dict[str, str]) -> None:
    assert document.read(body.encode()) == fields


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "<xml><a>1</a>",
        "<xml><a>1</b></xml>",
        "<xml><a>1</a></xml><xml/>",
        "<root><a>1</a></root>",
        "<xml>loose<a>1</a></xml>",
        "<xml><a>1</a><a>2</a></xml>",
        "<xml><a><b>1</b></a></xml>",
        "<xml><a>half<![CDATA[x]]></a></xml>",
        "<xml><a-b>1</a-b></xml>",
        "<xml><a>\x01</a></xml>",
        "<!DOCTYPE xml><xml><a>1</a></xml>",
        '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><a>&e;</a></xml>',
        '<!DOCTYPE xml [<!ENTITY e "ha"><!ENTITY f "&e;&e;">]><xml><a>&f;</a></xml>',
        '<!DOCTYPE xml SYSTEM "http://localhost/x.dtd"><xml><a>1</a></xml>',
        "<xml><a>&e;</a></xml>",
        "<xml>" + "".join(f"<a{n}>1</a{n}>" for n in range(document.FIELDS_MAX + 1)) + "</xml>",
        "<xml><a>" + "x" * document.BODY_BYTES_MAX + "</a></xml>",
    ],
)
def test_what_is_no_document_is_refused(body: str) -> None:
    with pytest.raises(Malformed):
        document.read(body.encode())


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_document_or_malformed(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        document.read(body)


@given(st.dictionaries(NAMES, TEXTS, max_size=8))
def test_what_is_written_reads_the_same(fields: dict[str, str]) -> None:
    # XML itself makes a line feed of each way to break a line.
    same = {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in fields.items()}
    written = document.write(fields)
    assert document.read(written) == same
    assert {each.tag: each.text or "" for each in ET.fromstring(written)} == same  # noqa: S314  # Our own.

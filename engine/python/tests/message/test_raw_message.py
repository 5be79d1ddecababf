"""Messages that are not HL7."""

import copy
import traceback

import pytest
from fastmllp_engine import CharacterSetError, MessageError, RawMessage


def test_bytes_and_text() -> None:
    message = RawMessage.from_bytes(b"caf\xe9", "latin-1")
    assert (message.raw, message.text, message.is_binary) == (b"caf\xe9", "café", False)
    assert message.encode() is message.raw and bytes(message) == message.raw and len(message) == 4
    assert RawMessage("é").raw == b"\xc3\xa9" and RawMessage("é", "latin-1").raw == b"\xe9"
    assert message == message.copy() == copy.deepcopy(message) == RawMessage(b"caf\xe9")
    assert hash(message) == hash(message.copy()) and message != RawMessage(b"")
    assert repr(message) == "RawMessage(<4 bytes>)"
    with pytest.raises(TypeError, match="not int"):
        RawMessage(5)  # type: ignore[arg-type]


def test_what_is_not_text_is_binary() -> None:
    assert RawMessage(b"%PDF-1.7\xff").is_binary and RawMessage(b"a\0b").is_binary
    assert not RawMessage(b"").is_binary
    with pytest.raises(MessageError) as caught:
        _ = RawMessage(b"SECRET\xff").text
    assert caught.value.code == "undecodable"
    with pytest.raises(CharacterSetError) as refused:
        RawMessage("SECRET é", "ascii")
    assert refused.value.code == "unencodable"
    with pytest.raises(LookupError):
        _ = RawMessage(b"\xff", "no-such-codec").text


def test_json() -> None:
    assert RawMessage(b'{"a": [1, "\\u00e9"]}').json() == {"a": [1, "é"]}
    with pytest.raises(MessageError) as caught:
        RawMessage(b'{"a":\n SECRET}').json()
    assert (caught.value.code, str(caught.value)) == (
        "bad_json",
        "the message is not JSON: line 2, column 2",
    )
    with pytest.raises(RecursionError):
        RawMessage(b"[" * 1_000_000).json()


def test_xml() -> None:
    root = RawMessage("<?xml version='1.0'?><p:a xmlns:p='urn:x'><b c='1'>é</b></p:a>").xml()
    assert (root.tag, root[0].tag, root[0].get("c"), root[0].text) == ("{urn:x}a", "b", "1", "é")
    assert RawMessage("<a>ü</a>".encode("utf-16")).xml().text == "ü"
    with pytest.raises(MessageError) as caught:
        RawMessage(b"<a>\n<SECRET></a>").xml()
    assert caught.value.code == "bad_xml"
    assert str(caught.value).startswith("the message is not XML: line 2, column ")


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY x "SECRET">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/SECRET.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY l "l"><!ENTITY m "&l;&l;&l;"><!ENTITY n "&m;&m;&m;">]><a>&n;</a>',
        "<!DOCTYPE a><a/>",
    ],
)
def test_a_document_that_declares_its_type_is_refused(document: str) -> None:
    for encoding in ["utf-8", "utf-16"]:
        with pytest.raises(MessageError) as caught:
            RawMessage(document.encode(encoding)).xml()
        assert caught.value.code == "xml_doctype"
        text = "".join(traceback.format_exception(caught.value))
        assert "/etc/passwd" not in str(caught.value) and "SECRET" not in str(caught.value)
        assert "JSONDecodeError" not in text


def test_no_exception_carries_the_payload() -> None:
    for use in (RawMessage.json, RawMessage.xml, lambda message: message.text):
        with pytest.raises(MessageError) as caught:
            use(RawMessage(b"SECRET\xff <"))
        error: BaseException | None = caught.value
        assert error is not None and error.__cause__ is None and error.__context__ is None
        assert "SECRET" not in repr(vars(error))

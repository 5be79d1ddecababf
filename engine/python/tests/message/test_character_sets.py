"""Values in the character set of the message: MSH-18, and `encoding` where that says nothing."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from fastmllp_engine import CharacterSetError, Message, MessageError


def payload(character_set: str, name: bytes, scheme: str = "") -> bytes:
    header = f"MSH|^~\\&|A||||||ADT^A01|1|P|2.5||||||{character_set}||{scheme}\r"
    return header.encode() + b"PID|1||2||" + name + b"^X\r"


# MSH-18, `encoding`, a name, its bytes.
SETS = [
    ("8859/1", None, "Müller", b"M\xfcller"),
    ("8859/9", None, "İŞ", b"\xdd\xde"),
    ("8859/5", None, "Иван", "Иван".encode("iso8859-5")),
    ("UNICODE UTF-8", None, "Müller 山", "Müller 山".encode()),
    ("UNICODE UTF-8", "latin-1", "Müller", "Müller".encode()),
    ("", None, "Müller 山", "Müller 山".encode()),
    ("", "latin-1", "Müller", b"M\xfcller"),
    ("ASCII", "cp1252", "Müller €", b"M\xfcller \x80"),
    ("NONSENSE", "cp1252", "Müller", b"M\xfcller"),
    ("CNS 11643-1992", "cp1252", "Müller", b"M\xfcller"),
    ("", "shift_jis", "ソ表", b"\x83\x5c\x95\x5c"),
    ("ISO IR14", None, "ソ表|", b"\x83\x5c\x95\x5c\\F\\"),
    ("GB 18030-2000", None, "\u4e97 乗", "\u4e97 乗".encode("gb18030")),
    ("BIG-5", None, "許功蓋", "許功蓋".encode("big5")),
    ("KS X 1001", None, "김", "김".encode("euc_kr")),
    ("~ISO IR87", None, "山田", b"\x1b$B;3ED\x1b(B"),
]


@pytest.mark.parametrize(("named", "encoding", "text", "raw"), SETS)
def test_a_name_is_read_and_written_in_its_set(
    named: str, encoding: str | None, text: str, raw: bytes
) -> None:
    msg = Message(payload(named, raw), encoding)
    assert msg["PID-5.1"] == text
    assert msg["PID-5.2"] == msg["PID-5[1].2"] == "X"
    assert msg.segments("PID")[0]["5.1"] == text
    assert msg.repetitions("PID-5.1") == [text]
    other = Message(payload(named, b"Y"), encoding)
    other["PID-5.1"] = text
    assert other.encode() == msg.encode()
    other.add_segment(f"NTE|1||{text.strip('|')}")
    assert other["NTE-3"] == text.strip("|")
    msg["PID-5"] = msg["PID-5"]
    assert msg.encode() == other.encode()[: len(msg)]


def test_a_message_given_as_text_is_encoded_as_its_header_says() -> None:
    text = payload("8859/1", b"").decode().replace("2||", "2||Müller")
    assert Message(text).bytes("PID-5.1") == b"M\xfcller"
    assert (
        Message(payload("", b"").decode().replace("2||", "2||ü"), "cp1252").encode().count(b"\xfc")
    )


def test_a_byte_that_is_not_in_the_set_is_copied_as_it_is() -> None:
    for named, raw in [
        ("UNICODE UTF-8", b"M\xfc\xe4\xc3\xbcller"),
        ("8859/6", b"\xa1\xff"),
        ("", b"\xfe"),
    ]:
        msg = Message(payload(named, raw))
        assert msg["PID-5.1"] is not None
        before = msg.encode()
        msg["PID-5.1"] = msg["PID-5.1"]
        assert msg.encode() == before
        msg["ZZZ-1"] = msg["PID-5.1"]
        assert msg.bytes("ZZZ-1") == raw


def test_a_set_that_is_not_known_stops_what_is_not_ascii() -> None:
    msg = Message(payload("NONSENSE", b"M\xfcller"))
    assert msg["PID-3"] == "2" and msg["PID-5.2"] == "X"
    msg["PID-3"] = "a & b"
    assert msg["PID-3"] == "a & b"
    uses: list[Callable[[], object]] = [lambda: msg["PID-5"], lambda: msg.set("PID-5", "ü")]
    for use in uses:
        with pytest.raises(CharacterSetError) as caught:
            use()
        assert caught.value.code == "unknown_character_set"
    assert issubclass(CharacterSetError, (MessageError, LookupError))
    assert msg.bytes("PID-5.1") == b"M\xfcller"


def test_a_character_that_the_set_lacks_is_refused() -> None:
    for named in ["8859/1", "ASCII", "ISO IR14"]:
        msg = Message(payload(named, b"X"))
        with pytest.raises(CharacterSetError) as caught:
            msg["PID-5"] = "\U0001f600"
        assert caught.value.code == "unencodable"
        assert "1f600" not in repr(caught.value).lower() and "\U0001f600" not in str(caught.value)
        assert msg.encode() == payload(named, b"X")


def test_an_encoding_that_python_does_not_have_is_an_error_when_it_is_needed() -> None:
    msg = Message(payload("", b"M\xfcller"), "no-such-codec")
    assert msg["PID-3"] == "2"
    with pytest.raises(LookupError):
        msg["PID-5"]


def test_delimiters_are_not_found_inside_characters() -> None:
    # The first name is one character, 83 7C: its second byte is `|` in ASCII.
    msg = Message(payload("ISO IR14", b"\x83\x7c"))
    msg["PID-5.1"] = b"\x83\x5c|"
    assert msg["PID-5.1"] == "ソ|" and msg["PID-5.2"] == "X"
    msg["PID-6"] = "Y"
    assert msg.encode().endswith(b"PID|1||2||\x83\x5c\\F\\^X|Y\r")
    msg["MSH-18"] = "UNICODE UTF-8"
    assert msg["PID-5.2"] == "X"


PROGRAM = """
from fastmllp_engine import Message, RawMessage
header = "MSH|^~\\\\&|\\u0130I|||||ADT^A01|ADT^A01|1|P|2.5||||||8859/9"
msg = Message(header + "\\rPID|1||i\\u0131I\\u0130")
assert msg["PID-3"] == "i\\u0131I\\u0130" and msg.message_type == "ADT^A01", ascii(msg["PID-3"])
msg["PID-5"] = "\\u015e & \\u0131"
assert msg.bytes("PID-5") == b"\\xde \\\\T\\\\ \\xfd"
assert RawMessage('{"a": "\\u0130"}').json() == {"a": "\\u0130"}
assert RawMessage("<a>\\u0131</a>").xml().text == "\\u0131"
"""


@pytest.mark.parametrize("locale", ["C", "POSIX", "tr_TR.UTF-8", "de_DE.ISO8859-1"])
def test_the_locale_changes_nothing(locale: str) -> None:
    environment = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", PROGRAM], env=environment, check=False
    )
    assert done.returncode == 0

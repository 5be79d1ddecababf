"""Files in UTF-16 and in encodings that cannot be read."""

import codecs

import pytest
from fastmllp import Message
from fastmllp.hl7.files import FileError, NoMessage, read_file, read_messages
from peers import framed, message

A, B = message("A"), message("B")
MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def named(name: str, text: str = "M\xfcller") -> str:
    header = f"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|U1|P|2.5||||||{name}"
    return f"{header}\rPID|1||||{text}\r"


@pytest.fixture(params=list(MARKS))
def utf16(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_utf16(utf16: str, end: str) -> None:
    data = MARKS[utf16] + (A + B).decode().replace("\r", end).encode(utf16)
    assert read_messages(data) == ([A, B], "")
    assert read_file(data).notes[0].startswith("is in UTF-16: each message is encoded in the")
    assert read_file(A).notes == []


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("", "utf-8"),
        ("UNICODE", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("WINDOWS-1252", "cp1252"),
    ],
)
def test_utf16_becomes_what_the_message_says(utf16: str, name: str, codec: str) -> None:
    """What MSH-18 claims of the bytes that leave is true."""
    text = named(name)
    data = MARKS[utf16] + (A.decode() + text).encode(utf16)
    assert read_messages(data).payloads == [A, text.encode(codec)]


@pytest.mark.parametrize(
    ("name", "text", "scan"),
    [
        ("~ISO IR87", "\u5c71\u7530", "single_byte"),
        ("ISO IR87", "\u5c71\u7530", "iso2022_jp"),
        ("ISO IR14", "\u5c71\u8868", "shift_jis"),
        ("GB 18030-2000", "\u5c71\u7530", "gb18030"),
        ("BIG-5", "\u5c71\u7530", "big5"),
    ],
)
def test_utf16_becomes_what_a_receiver_reads(utf16: str, name: str, text: str, scan: str) -> None:
    message = named(name, text)
    if name == "~ISO IR87":
        message = message.replace("\rPID", "||ISO 2022-1994\rPID")
    (payload,) = read_messages(MARKS[utf16] + message.encode(utf16)).payloads
    assert Message(payload, scan=scan).text("PID-5") == text
    assert b"\0" not in payload


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("8859/1", "\u0141ukasz", "a character is not in the set that its MSH-18 names"),
        ("ASCII", "M\xfcller", "a character is not in the set that its MSH-18 names"),
        ("UNICODE UTF-16", "M", "its MSH-18 names a character set into which UTF-16 is not"),
        ("KLINGON", "M", "its MSH-18 names a character set into which UTF-16 is not"),
    ],
)
def test_utf16_that_does_not_fit(utf16: str, name: str, text: str, reason: str) -> None:
    data = MARKS[utf16] + (A.decode() + named(name, text)).encode(utf16)
    with pytest.raises(FileError, match=f"^message 2: {reason}") as caught:
        read_messages(data)
    assert not isinstance(caught.value, NoMessage)


def test_utf16_of_other_forms(utf16: str) -> None:
    def encoded(payload: bytes) -> bytes:
        return MARKS[utf16] + payload.decode().encode(utf16)

    assert read_messages(encoded(framed(A) + framed(B))).payloads == [A, B]
    batch = read_file(encoded(b"BHS|^~\\&|\r" + A + b"BTS|2\r"))
    assert batch.payloads == [A] and "BTS-1 counts 2" in batch.batch_fault
    # Joined: the second file has a mark of its own.
    joined = encoded(A) + "\ufeff".encode(utf16) + B.decode().encode(utf16)
    assert read_messages(joined).payloads == [A, B]


@pytest.mark.parametrize("cut", [1, 3])
def test_utf16_that_is_cut(utf16: str, cut: int) -> None:
    data = MARKS[utf16] + A.decode().encode(utf16)
    with pytest.raises(FileError, match="not valid UTF-16"):
        read_messages(data[:-cut])


def test_half_of_a_file_in_utf16(utf16: str) -> None:
    """PowerShell appends UTF-16 to whatever there is."""
    wide = MARKS[utf16] + B.decode().replace("\r", "\r\n").encode(utf16)
    for data in (A.replace(b"\r", b"\r\n") + wide, wide + A):
        with pytest.raises(FileError) as caught:
            read_messages(data)
        assert not isinstance(caught.value, NoMessage)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_file_without_a_mark_is_refused(encoding: str) -> None:
    for text in (A.decode(), "\r\n" + A.decode(), "BHS|^~\\&\r" + A.decode()):
        with pytest.raises(FileError, match="UTF-16") as caught:
            read_messages(text.encode(encoding))
        assert not isinstance(caught.value, NoMessage)


def test_utf32_is_refused() -> None:
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ):
        with pytest.raises(FileError, match="is in UTF-32, which is not read"):
            read_messages(mark + A.decode().encode(encoding))


def test_utf16_of_something_else_holds_no_message(utf16: str) -> None:
    with pytest.raises(NoMessage):
        read_messages(MARKS[utf16] + "a list of patients".encode(utf16))

"""Taking files apart."""

import pytest
from fastmllp.files import FileError, read_messages
from peers import framed, message

A, B = message("A"), message("B")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends(end: bytes) -> None:
    data = (A + B).replace(b"\r", end)
    assert read_messages(data) == ([A, B], "")
    assert read_messages(data.removesuffix(end)) == ([A, B], "")
    assert read_messages(end + data.replace(b"PID", end + b"PID") + end + end) == ([A, B], "")


def test_other_character_sets() -> None:
    for encoding in ("latin-1", "utf-8", "shift_jis"):
        text = "MSH|^~\\&|A\nPID|1||||\u8868" if encoding == "shift_jis" else "MSH|^~\\&|\xfc"
        data = text.encode(encoding)
        assert read_messages(data).payloads == [data.replace(b"\n", b"\r") + b"\r"]


def test_byte_order_mark() -> None:
    assert read_messages(b"\xef\xbb\xbf" + A).payloads == [A]


def test_batch_envelope_is_left_out() -> None:
    data = b"FHS|^~\\&|\rBHS|^~\\&|\r" + A + B + b"BTS|2\rFTS|1\r"
    assert read_messages(data) == ([A, B], "4 lines")


def test_text_before_the_first_message_is_left_out() -> None:
    assert read_messages(b"exported on Monday\n\n" + A) == ([A], "1 lines")


def test_capture() -> None:
    lines = b"MSH|^~\\&|A\nPID|1\r\n"
    data = b"\r\n" + framed(A) + b"\n" + framed(lines) + framed(b"") + framed(B)[:-1]
    assert read_messages(data) == ([A, lines, b"", B], "")
    assert read_messages(framed(A) + b"junk" + framed(B)) == ([A, B], "4 bytes")


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"PID|1\rPV1|1\r", b" MSH|", "MSH|".encode("utf-16")]
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(FileError, match="no message"):
        read_messages(data)


def test_cut_capture() -> None:
    with pytest.raises(FileError, match="inside of a frame"):
        read_messages(framed(A) + framed(B)[:20])


def test_message_that_cannot_be_sent() -> None:
    with pytest.raises(FileError, match="message 2 cannot be sent"):
        read_messages(A + B + b"NTE|1||\x1c\r")

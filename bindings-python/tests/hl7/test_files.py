"""Taking files apart."""

import pytest
from fastmllp.hl7.files import FileError, read_messages
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


PREFIXES = [
    b"\xef\xbb\xbf",
    b" ",
    b"\t",
    b"\0",
    b"\f",
    b"\x1a",
    b"\x1a\x1a\xef\xbb\xbf",
    b"\xef\xbb\xbf\0 \xef\xbb\xbf",
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_prefix_of_a_header_does_not_fuse_two_messages(prefix: bytes, end: bytes) -> None:
    first, second = A.replace(b"\r", end), B.replace(b"\r", end)
    assert read_messages(first + prefix + second) == ([A, B], "")
    assert read_messages(prefix + first + end + prefix + second) == ([A, B], "")
    batch = prefix + b"BHS|^~\\&|" + end
    assert read_messages(first + batch + second) == ([A, B], "1 lines")


@pytest.mark.parametrize("separator", [b"|", b"#", b"!", b"/", b":", b"@", b"[", b"`", b"{", b"~"])
def test_header_behind_a_prefix_may_have_any_separator(separator: bytes) -> None:
    other = B.replace(b"|", separator)
    assert read_messages(A + b"\x1a" + other).payloads == [A, other]


@pytest.mark.parametrize("line", [b" MSHA|B", b" MSH", b"\tMSH |", b"\x1aMSH\xff", b" PID|1"])
def test_prefix_of_anything_else_is_content(line: bytes) -> None:
    assert read_messages(A + line + b"\n" + B).payloads == [A + line + b"\r", B]


def test_control_z() -> None:
    """DOS ends a text with it. In a line it may stand for a character that was not convertible."""
    for end in (
        b"\x1a",
        b"\x1a\r\n",
        b"\r\n\x1a",
        b"\r\n\x1a\r\n",
        b"\x1a" * 100,
        b"\n\x1a\n\n\x1a",
    ):
        assert read_messages(A.rstrip(b"\r") + end) == ([A], ""), end
        assert read_messages(A.rstrip(b"\r") + end + B) == ([A, B], ""), end
        assert read_messages(A.rstrip(b"\r") + end + b"\xef\xbb\xbf" + B) == ([A, B], ""), end
    inside = A + b"NTE|1||M\x1aLLER, \x1aMSH-10\x1a too|\rZZZ|\x1a|x\r"
    assert read_messages(inside + B).payloads == [inside, B]


def test_many_control_z_take_no_time() -> None:
    """A search that looked at each of them from each of them would not come back."""
    line = b"Z" + b"\x1a" * 1_000_000 + b" \x1a" * 500_000 + b"Z\r"
    assert read_messages(A + line + B).payloads == [A + line, B]


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
    "data",
    [
        b"",
        b"\n\n",
        b"PID|1\rPV1|1\r",
        b" MSHX|",
        b"\x1a\n\x1a",
        b"\xef\xbb\xbf",
        "MSH|".encode("utf-16"),
    ],
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(FileError, match="no message"):
        read_messages(data)


def test_cut_capture() -> None:
    with pytest.raises(FileError, match="inside a frame"):
        read_messages(framed(A) + framed(B)[:20])


def test_message_that_cannot_be_sent() -> None:
    with pytest.raises(FileError, match="message 2 cannot be sent"):
        read_messages(A + B + b"NTE|1||\x1c\r")

"""What begins a message in a text, and what belongs to the message before it."""

import pytest
from fastmllp.hl7.files import FileError, NoMessage, read_file, read_messages
from fastmllp.hl7.opening import is_damaged, read_header
from peers import message

A, B = message("A"), message("B")

WORDS = [
    b"MSH Toronto on request",
    b"MSH",
    b"MSH-10 was missing",
    b"MSH: see below",
    b"MSH/Toronto/East",
    b"MSH.). Then",
    b"MSH).",
    b"MSH...",
    b'MSH"."',
    b"MSH-----------",
    b"MSH?!? ...",
    b"MSHA|B",
    b"MSH1|^~\\&|",
    b"MSH\xc3\xbc|^~\\&|",
    b"FHS Toronto",
    b"FHS: file header",
    b"BHS-7 is missing",
    b"BTS",
    b"BTS.",
    b"BTS - blood transfusion service",
    b"BTSX|3",
    b"BTS#3",
    b"FTS.",
    b"FTS",
    b"FTS 3",
]


@pytest.mark.parametrize("line", WORDS)
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_words_stay_with_their_message(line: bytes, end: bytes) -> None:
    """Nothing is torn and nothing is dropped, wherever the word stands in the message."""
    first = A + line + b"\rOBX|2|NM|GLU||5.4\r"
    assert read_messages((first + B).replace(b"\r", end)) == ([first, B], "")
    assert read_messages((A + line).replace(b"\r", end)).payloads == [A + line + b"\r"]
    assert read_header(line) is None


def test_words_that_look_like_a_header_are_noted() -> None:
    assert read_file(A + b"MSH Toronto\r" + B).notes == [
        "line 3 begins with MSH, but is not such a segment: it stays with message 1"
    ]
    assert read_file(b"MSH Toronto\r" + B).notes == [
        "line 1 begins with MSH, but is not such a segment: it belongs to no message"
    ]
    assert read_file(b"MSH Toronto\r" + B).left_out == "1 lines"
    assert read_file(A + b"MSHX\rBHSA|\rFTS2|1\r").notes == []


@pytest.mark.parametrize(
    "line",
    [
        b"MSH||LAB|L",
        b"MSH|Toronto|x",
        b"MSH|",
        b"MSH|~|LAB",
        b"MSH|--|--|",
        b"MSH|&&&&|LAB",
        b"MSH|^~\\&LAB|L|HIS",
        b"MSH\t^~\\&\tLAB",
        b"MSH ^~\\&|LAB",
        b"MSH^~\\&|LAB|L",
        b"MSH ^|~\\&LAB|L",
        b"MSH|^~\\&amp;|LAB",
        b"msh|^~\\&|LAB",
        b"Msh|^~\\&|LAB",
        b"BHS|Toronto",
        b"FHS|x",
        b"M\0S\0H\0|\0^\0~\0",
        b"\0M\0S\0H\0|\0^\0~\0",
    ],
)
def test_damaged_header_is_refused(line: bytes) -> None:
    """Taken for text it would fuse two patients, taken for a header it could tear one apart."""
    if line == b"MSH|":
        assert read_messages(A + line + b"\r").payloads == [A + line + b"\r"]
        return
    for before, number in [(b"", 1), (A, 3)]:
        with pytest.raises(
            FileError, match=rf"^line {number}: (begins with|is in UTF-16)"
        ) as caught:
            read_messages(before + line + b"\rPID|1\r")
        assert not isinstance(caught.value, NoMessage)
        assert "Toronto" not in str(caught.value) and "LAB" not in str(caught.value)
    assert is_damaged(line) and read_header(line) is None


@pytest.mark.parametrize(
    "header",
    [
        b"MSH|^~\\&|LAB",
        b"MSH|^~\\&",
        b"MSH|^|",
        b"MSH|^~|LAB",
        b"MSH|^~\\&#|LAB",
        b"MSH|^~\\\\&|LAB",
        b"MSH|^~\\\\&#|LAB",
        b"MSH#*+%$#SND",
        b"MSH^~|\\&^A",
        b"MSH:;!%$:A",
        b"MSH,^~\\&,A",
    ],
)
def test_headers(header: bytes) -> None:
    data = header + b"\rPID\r"
    assert read_messages(data + A + data).payloads == [data, A, data]
    assert read_header(header) == read_header(data) == (b"MSH", header[3:4])
    assert read_header(header[3:]) is None


INDENTS = [b" ", b"    ", b"\t", b" \t "]


@pytest.mark.parametrize("indent", INDENTS)
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_lines_that_are_all_indented_alike(indent: bytes, end: bytes) -> None:
    def indented(payload: bytes) -> bytes:
        return b"".join(indent + line + end for line in payload.split(b"\r")[:-1])

    text = A + b"NTE|1||text\r  more of it\r"
    assert read_messages(indented(text)) == ([text], "")
    assert read_messages(end + indented(text) + indent + end + indented(B)) == ([text, B], "")
    assert read_messages(b"\xef\xbb\xbf" + indented(A)).payloads == [A]
    # Each message by itself: files that were joined need not be alike.
    assert read_messages(A + indented(B) + A).payloads == [A, B, A]
    batch = indented(b"BHS|^~\\&\r" + A + B + b"BTS|2\r")
    assert read_messages(batch) == ([A, B], "2 lines")
    assert read_file(batch).batch_fault == ""


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"  MSH|^~\\&|A\n  PID|1\nPV1|1\n", 3),
        (b"  MSH|^~\\&|A\nPID|1\n  PV1|1\n", 2),
        (b"  MSH|^~\\&|A\n PID|1\n", 2),
        (b"  MSH|^~\\&|A\n\tPID|1\n", 2),
        (b"\tMSH|^~\\&|A\n    PID|1\n", 2),
        (b"\n\nMSH|^~\\&|A\n  PID|1\n  PV1|1\n", 4),
        (b"MSH|^~\\&|A\n\n  PID|1\nPV1|1\n", 3),
        (b"  MSH|^~\\&|A\n    PID|1\n    PV1|1\n", 2),
        (b"\tMSH|^~\\&|A\n\t  PID|1\n\tPV1|1\n", 2),
        (b" MSH|^~\\&|A\n\n \tPID|1\n \tPV1|1\n", 3),
        (b"    MSH|^~\\&|A\n  PID|1\n  PV1|1\n", 2),
    ],
)
def test_lines_that_are_indented_in_part_are_refused(data: bytes, line: int) -> None:
    for more in (b"", B):
        with pytest.raises(FileError, match=f"^line {line}: .*indented"):
            read_messages(data + more)


def test_one_indented_line_is_text_and_noted() -> None:
    data = A + b"  ZZZ|1\r" + B
    assert read_messages(data).payloads == [A + b"  ZZZ|1\r", B]
    assert read_file(data).notes == ["line 3 is indented: it stays so in message 1"]
    assert read_file(A + b"  and more text\r").notes == []
    indented = b"".join(b"  " + line + b"\r" for line in data.split(b"\r")[:-1])
    assert read_file(indented).payloads == [A + b"  ZZZ|1\r", B]
    assert read_file(indented).notes == ["line 3 is indented: it stays so in message 1"]


def test_header_after_blanks_is_noted() -> None:
    """The second file of two that were joined, or a text that quotes a header."""
    reading = read_file(A + b" " + B)
    assert reading.payloads == [A, B]
    assert reading.notes == ["line 3: a header after blanks begins message 2"]
    assert read_file(b" " + A + B).notes == []

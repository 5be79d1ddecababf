"""Envelopes of batches: counts are compared, and what is cut is noticed."""

import pytest
from fastmllp.hl7.files import read_file
from peers import framed, message

A, B = message("A"), message("B")
FHS, BHS = b"FHS|^~\\&|LAB\r", b"BHS|^~\\&|LAB\r"


@pytest.mark.parametrize(
    "data",
    [
        BHS + A + B + b"BTS|2\r",
        BHS + A + B + b"BTS\r",
        BHS + A + B + b"BTS|\r",
        BHS + A + B + b"BTS||a comment|9\r",
        BHS + A + B + b'BTS|""\r',
        BHS + A + B + b"BTS|002\r",
        BHS + A + B + b"BTS|2 \r",
        BHS + A + B + b"BTS| 2|\r",
        BHS + A + B + b"BTS|+2\r",
        BHS + A + B + b"BTS|2.0\r",
        BHS + b"BTS|0\r" + A,
        FHS + BHS + A + b"BTS|1\r" + BHS + B + b"BTS|1\rFTS|2\r",
        FHS + BHS + A + B + b"BTS|2\rFTS|1\r",
        FHS + BHS + A + B + b"BTS\rFTS\r",
        FHS + A + B + b"FTS|1\r",
        FHS + b"FTS|0\r" + A,
        (FHS + BHS + A + b"BTS|1\rFTS|1\r") * 2,
        A + BHS + B + b"BTS|1\r" + A,
        (BHS + A + b"BTS|1\r").replace(b"|", b"#"),
        BHS + A + b"NTE|1||BTS#9\rBTS#9\r" + b"BTS|1\r",
    ],
)
def test_complete(data: bytes) -> None:
    assert read_file(data).batch_fault == ""
    assert read_file(b"".join(map(framed, data.split(b"\r")[:-1]))).batch_fault == ""


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (BHS + A + B + b"BTS|3\r", "line 6: BTS-1 counts 3 messages, there are 2"),
        (BHS + A + b"BTS|0\r", "line 4: BTS-1 counts 0 messages, there are 1"),
        (BHS + A + b"BTS|-1\r", "line 4: BTS-1 is not a number"),
        (BHS + A + b"BTS|one\r", "line 4: BTS-1 is not a number"),
        (BHS + A + b"BTS|1^2\r", "line 4: BTS-1 is not a number"),
        (BHS + A + b"BTS|1.5\r", "line 4: BTS-1 is not a number"),
        (BHS + A + b"BTS|" + b"9" * 5000 + b"\r", "line 4: BTS-1 is not a number"),
        (BHS + A + b"BTS|\xd9\xa1\r", "line 4: BTS-1 is not a number"),
        (BHS + A + B, "line 1: BHS without BTS after it"),
        (BHS + A + BHS + B + b"BTS|1\r", "line 1: BHS without BTS after it"),
        (A + b"BTS|1\r", "line 3: BTS without BHS before it"),
        (BHS + A + b"BTS|1\rBTS|1\r", "line 5: BTS without BHS before it"),
        (FHS + BHS + A + b"BTS|1\r", "line 1: FHS without FTS after it"),
        (FHS + BHS + A + b"FTS|1\r", "line 2: BHS without BTS after it"),
        (BHS + A + b"BTS|1\rFTS|1\r", "line 5: FTS without FHS before it"),
        (FHS + BHS + A + b"BTS|1\rFTS|2\r", "line 6: FTS-1 counts 2 batches, there are 1"),
        (
            FHS + BHS + A + b"BTS|1\r" + B + b"FTS|1\r",
            "line 8: FTS-1 counts 1 batches, there are 2",
        ),
        (FHS + A + b"FTS|2\r", "line 4: FTS-1 counts 2 batches, there are 1"),
        (FHS + A + FHS + B + b"FTS|1\r", "line 1: FHS without FTS after it"),
        (BHS + A + FHS + B + b"FTS|1\r", "line 1: BHS without BTS after it"),
    ],
)
def test_what_does_not_fit(data: bytes, fault: str) -> None:
    assert read_file(data).batch_fault.startswith(fault)
    lf = read_file(b"\xef\xbb\xbf" + data.replace(b"\r", b"\r\n"))
    assert lf.batch_fault.startswith(fault)
    assert read_file(framed(A) + framed(data)).batch_fault == f"frame 2: {fault.split(': ', 1)[1]}"


def test_batch_in_a_capture() -> None:
    """Sent as it is, and counted all the same."""
    batch = BHS + A + B + b"BTS|3\r"
    reading = read_file(framed(A) + framed(batch))
    assert reading.payloads == [A, batch] and reading.left_out == ""
    assert reading.batch_fault == "frame 2: BTS-1 counts 3 messages, there are 2"
    spread = framed(BHS) + framed(A) + framed(B) + framed(b"BTS|3\r")
    assert read_file(spread).batch_fault == "frame 4: BTS-1 counts 3 messages, there are 2"
    assert read_file(framed(A + b"NTE|1||a BTS|9\r")).batch_fault == ""


def test_count_of_a_file_with_words_in_it() -> None:
    """A word that looks like an envelope neither counts nor ends anything."""
    data = BHS + A + b"BTS.\rBHS Toronto\r" + B + b"BTS|2\r"
    reading = read_file(data)
    assert reading.payloads == [A + b"BTS.\rBHS Toronto\r", B] and reading.batch_fault == ""

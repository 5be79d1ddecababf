"""The header of a message that is still arriving."""

import sys
from typing import Any

import pytest
from fastmllp import Message, MessageError, MessageHeader

PREFIX = b"MSH|^~\\&|A|B|C|D|20260101||ORU^R01|M1|P|2"


def test_a_field_is_known_when_something_follows_it() -> None:
    header = MessageHeader.parse_prefix(PREFIX, 10)
    assert header is not None
    assert (header.field_separator, header.encoding_characters) == (b"|", b"^~\\&")
    assert (header.message_type, header.message_control_id) == (b"ORU^R01", b"M1")
    # MSH-11 is there, and empty all the same: a longer prefix must not change the answer.
    assert header.processing_id == b""
    assert MessageHeader.parse_prefix(PREFIX, 12) is None
    whole = MessageHeader.parse_prefix(PREFIX + b".5\r", 12)
    assert whole is not None and whole.version_id == b"2.5"


def test_a_segment_that_ends_early_is_an_answer() -> None:
    header = MessageHeader.parse_prefix(b"MSH|^~\\&|A\r", 21)
    assert header is not None
    assert (header.sending_application, header.message_control_id) == (b"A", b"")


@pytest.mark.parametrize("through", [0, 1, 2])
def test_the_delimiters_are_always_read(through: int) -> None:
    assert MessageHeader.parse_prefix(b"MSH|^~", through) is None
    header = MessageHeader.parse_prefix(b"MSH|^~\\&|A|B", through)
    assert header is not None
    assert (header.encoding_characters, header.sending_application) == (b"^~\\&", b"")


@pytest.mark.parametrize("through", [21, 22, 2 * sys.maxsize + 1])
def test_a_field_number_above_21_is_21(through: int) -> None:
    payload = b"MSH|^~\\&" + b"|" * 18 + b"|PROFILE|MSH-22|"
    header = MessageHeader.parse_prefix(payload, through)
    assert header is not None and header.message_profile_identifier == b"PROFILE"
    assert MessageHeader.parse_prefix(payload[:-8], through) is None


def test_the_header_of_a_batch_is_awaited() -> None:
    batch = b"FHS|^~\\&|F\rBHS|^~\\&|B\r"
    assert MessageHeader.parse_prefix(batch, 10) is None
    header = MessageHeader.parse_prefix(batch + PREFIX, 10)
    assert header is not None and header.message_control_id == b"M1"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        (b"P", "no_header"),
        (b"MSX", "no_header"),
        (b"MSHA", "bad_field_separator"),
        (b"MSH|^^", "duplicate_delimiter"),
        (b"MSH||", "no_encoding_characters"),
    ],
)
def test_no_further_byte_repairs_it(prefix: bytes, code: str) -> None:
    assert MessageHeader.parse_prefix(prefix[:-1], 3) is None
    for longer in (prefix, prefix + b"|A|B|C\r"):
        with pytest.raises(MessageError) as raised:
            MessageHeader.parse_prefix(longer, 3)
        assert raised.value.code == code
        with pytest.raises(MessageError) as raised:
            _ = Message(longer).header
        assert raised.value.code == code


def test_any_buffer_is_a_prefix() -> None:
    buffer = bytearray(PREFIX)
    headers = [MessageHeader.parse_prefix(b, 10) for b in (PREFIX, buffer, memoryview(buffer))]
    # A receive buffer is used again: what was read from it stays.
    buffer[:] = b"x" * len(buffer)
    for header in headers:
        assert header is not None and header.message_control_id == b"M1"


@pytest.mark.parametrize(
    ("prefix", "through", "error"),
    [
        (PREFIX, -1, OverflowError),
        (PREFIX, 2 * sys.maxsize + 2, OverflowError),
        (PREFIX, 10.0, TypeError),
        (PREFIX, None, TypeError),
        (PREFIX.decode(), 10, TypeError),
        (None, 10, TypeError),
    ],
)
def test_arguments_of_other_kinds(prefix: Any, through: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        MessageHeader.parse_prefix(prefix, through)


def test_no_representation_shows_a_header() -> None:
    header = MessageHeader.parse_prefix(b"MSH|^~\\&|MARK|MARK|", 4)
    assert header is not None and header.sending_facility == b"MARK"
    assert "MARK" not in repr(header)

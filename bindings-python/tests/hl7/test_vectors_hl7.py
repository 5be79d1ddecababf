"""The vectors about fields of a message, through the Python package."""

import json
import pathlib
from typing import Any

import fastmllp
import pytest

VECTORS = pathlib.Path(__file__).parents[3] / "vectors"
PEEK: dict[str, Any] = json.loads((VECTORS / "hl7_peek.json").read_text())

HEADER_FIELDS = [
    "field_separator",
    "encoding_characters",
    "sending_application",
    "sending_facility",
    "receiving_application",
    "receiving_facility",
    "date_time_of_message",
    "security",
    "message_type",
    "message_control_id",
    "processing_id",
    "version_id",
    "sequence_number",
    "continuation_pointer",
    "accept_acknowledgment_type",
    "application_acknowledgment_type",
    "country_code",
    "character_set",
    "principal_language_of_message",
    "alternate_character_set_handling_scheme",
    "message_profile_identifier",
]


def latin1(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


@pytest.mark.parametrize("case", PEEK["messages"], ids=lambda case: case["id"])
def test_queries(case: dict[str, Any]) -> None:
    message = fastmllp.Message(bytes.fromhex(case["msg_hex"]))
    for query in case["queries"]:
        path = fastmllp.Path(query["path"])
        for form in (path, str(path), query["path"]):
            assert latin1(message.get(form)) == query["raw"], query
        if "leaf" in query:
            assert latin1(message.leaf(path)) == query["leaf"], query
            assert message.status(path) == query["leaf_status"], query
            assert message.text(path, encoding="latin-1") == query["text"], query


@pytest.mark.parametrize("case", PEEK["messages"], ids=lambda case: case["id"])
def test_segments_and_delimiters(case: dict[str, Any]) -> None:
    message = fastmllp.Message(bytes.fromhex(case["msg_hex"]))
    assert [latin1(segment.id) for segment in message] == case["segments"]
    names = ("field", "comp", "rep", "esc", "sub", "trunc")
    expect = "".join(case["delims"][name] or "" for name in names)
    # A sixth encoding character has no meaning and stays in the field.
    assert message.delimiters.decode("latin-1")[: len(expect)] == expect
    seen: dict[bytes, int] = {}
    for segment in message.segments():
        seen[segment.id] = number = seen.get(segment.id, 0) + 1
        assert len(segment.fields) == len(segment)
        for field in range(1, len(segment) + 2):
            value = segment.field(field)
            if len(segment.id) == 3 and segment.id.isalnum() and segment.id.isupper():
                assert value == message.get(f"{segment.id.decode()}[{number}]-{field}")
            parts = segment.parts(field)
            assert (value is None) == (parts is None)
            if parts == [[[value]]]:
                continue
            separators = [expect[i : i + 1] for i in (2, 1, 4)]
            joined = separators[0].join(
                separators[1].join(
                    separators[2].join(part.decode("latin-1") for part in component)
                    for component in repetition
                )
                for repetition in parts or []
            )
            assert joined == latin1(value) or value is None


@pytest.mark.parametrize("case", PEEK["errors"], ids=lambda case: case["id"])
def test_errors(case: dict[str, Any]) -> None:
    message = fastmllp.Message(bytes.fromhex(case["msg_hex"]))
    with pytest.raises(fastmllp.MessageError) as raised:
        message.get(case["path"])
    assert raised.value.code == case["error"]


def fields(header: fastmllp.MessageHeader) -> list[bytes]:
    """MSH-1 to MSH-21."""
    return [getattr(header, name) for name in HEADER_FIELDS]


@pytest.mark.parametrize("case", PEEK["messages"], ids=lambda case: case["id"])
def test_header_of_every_prefix(case: dict[str, Any]) -> None:
    """Once known, the header of a prefix never changes and is that of the whole message."""
    payload = bytes.fromhex(case["msg_hex"])
    message = fastmllp.Message(payload)
    whole = [message.get(f"MSH-{number}") or b"" for number in range(1, 22)]
    assert fields(message.header) == whole
    for through in (0, 1, 2, 3, 10, 18, 21, 25):
        expected = [*whole[: max(through, 2)], *[b""] * 21][:21]
        known = False
        for end in range(len(payload) + 1):
            header = fastmllp.MessageHeader.parse_prefix(payload[:end], through)
            if header is not None:
                assert fields(header) == expected, (end, through)
                known = True
            assert known == (header is not None), (end, through)
        # Without a terminator behind MSH only the caller knows that nothing more will come.
        assert known == (case["id"] != "only_msh"), through


@pytest.mark.parametrize("case", PEEK["errors"], ids=lambda case: case["id"])
def test_every_prefix_of_every_wrong_header(case: dict[str, Any]) -> None:
    """A prefix of a wrong header has no answer yet or the error of the whole."""
    payload = bytes.fromhex(case["msg_hex"])
    code = None
    try:
        _ = fastmllp.Message(payload).header
    except fastmllp.MessageError as error:
        code = error.code
    if code is None:
        assert case["error"] == "bad_path"
        return
    found = None
    for end in range(len(payload) + 1):
        try:
            assert fastmllp.MessageHeader.parse_prefix(payload[:end], 3) is None
            assert found is None, "the error was taken back"
        except fastmllp.MessageError as error:
            found = error.code
            assert found == code
    # Nothing at all, and a header that is too short, may go on.
    assert found == (None if payload == b"" or code == "short_header" else code)


@pytest.mark.parametrize("case", PEEK["escape"], ids=lambda case: case["text"])
def test_escapes(case: dict[str, Any]) -> None:
    text, delimiters = case["text"].encode("latin-1"), case["delims"].encode("latin-1")
    assert fastmllp.escape(text, delimiters).decode("latin-1") == case["escaped"]
    if len(delimiters) > 3:
        assert fastmllp.unescape(case["escaped"].encode("latin-1"), delimiters) == text
    if delimiters == b"|^~\\&":
        assert fastmllp.escape(text) == fastmllp.escape(text, delimiters)


SCANS = {
    "shift_jis": "shift_jis",
    "gb18030": "gb18030",
    "big5": "gb18030",
    "iso2022_jp": "iso2022_jp",
    "euc_kr": "single_byte",
}


@pytest.mark.parametrize("case", PEEK["multibyte"], ids=lambda case: case["charset"])
def test_multi_byte_character_sets(case: dict[str, Any]) -> None:
    payload, codec = bytes.fromhex(case["msg_hex"]), case["charset"]
    aware = bytes.fromhex(case["aware_hex"])
    assert fastmllp.Message(payload).get(case["path"]) == bytes.fromhex(case["naive_hex"])
    message = fastmllp.Message(payload, scan=SCANS[codec])
    assert message.get(case["path"]) == aware
    assert latin1(message.get("PID-5.2")) == case["aware_5_2"]
    # Text is read with the character set, whatever the message was made with.
    assert fastmllp.Message(payload).text(case["path"], encoding=codec) == aware.decode(codec)


def test_text_is_in_the_character_set_that_msh_18_names() -> None:
    def message(name: str, codec: str) -> fastmllp.Message:
        header = f"MSH|^~\\&|S||R||2026||ADT^A08|1|P|2.5||||||{name}\r"
        return fastmllp.Message(header.encode() + "PID|1||2||Müller\r".encode(codec))

    assert message("UNICODE UTF-8", "utf-8").text("PID-5") == "Müller"
    assert message("8859/1", "latin-1").text("PID-5") == "Müller"
    assert message("", "utf-8").text("PID-5") == "Müller"
    assert message("", "latin-1").text("PID-5") == "M\ufffdller"
    assert message("", "latin-1").text("PID-5", "latin-1") == "Müller"
    with pytest.raises(UnicodeDecodeError):
        message("", "latin-1").text("PID-5", errors="strict")


def test_a_batch_is_told_from_a_message() -> None:
    msh = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\r"
    assert fastmllp.Message(msh + b"PID|1\r").kind == "single"
    assert fastmllp.Message(msh + msh).kind == "batch"
    assert fastmllp.Message(b"BHS|^~\\&\r" + msh).kind == "batch"


@pytest.mark.parametrize("payload", [b"", b"PID|1\r", "\x00\xff".encode("latin-1")])
def test_no_representation_shows_a_payload(payload: bytes) -> None:
    marked = b"MSH|^~\\&|MARK|MARK|MARK|MARK|2026||ADT^A01|MARK|P|2.5\rPID|MARK\r" + payload
    message = fastmllp.Message(marked)
    shown = [message, message.header, *message.segments(), fastmllp.Ack("AE", text="MARK")]
    assert "MARK" not in repr(shown)


# MSH-2 that no strict reader accepts: a character twice, none at all, a letter.
UNUSUAL = [b"^~\\&&", b"", b"^~A&"]


@pytest.mark.parametrize("characters", UNUSUAL)
def test_lenient_reading_of_a_damaged_header(characters: bytes) -> None:
    payload = b"MSH|" + characters + b"|A|B|C|D|2026||ADT^A01|MINE|P|2.5\rMSA|AA|OTHER\r"
    with pytest.raises(fastmllp.MessageError):
        _ = fastmllp.Message(payload).header
    message = fastmllp.Message(payload, lenient=True)
    assert message.header.message_control_id == b"MINE"
    assert message.get("MSA-2") == b"OTHER"
    assert message.segments()[1].parts(2) == [[[b"OTHER"]]]
    with pytest.raises(fastmllp.MessageError) as raised:
        _ = fastmllp.Message(b"PID|1\r", lenient=True).header
    assert raised.value.code == "no_header"


def test_names_in_shift_jis_do_not_move_the_control_id() -> None:
    facility = "ポート病院".encode("shift_jis")
    assert facility.startswith(b"\x83\x7c")
    payload = b"MSH|^~\\&|S|" + facility + b"|R|F|2026||ADT^A01|MINE|P|2.5\r"
    ack = fastmllp.build_ack(payload, scan="shift_jis")
    read = fastmllp.Message(ack, scan="shift_jis")
    assert read.get("MSA-2") == b"MINE"
    assert read.get("MSH-6") == facility
    encoded = fastmllp.Ack("AE", policy="conformant").encode(payload, scan="shift_jis")
    assert fastmllp.Message(encoded, scan="shift_jis").get("MSA-2") == b"MINE"


def test_the_character_set_of_a_message() -> None:
    assert fastmllp.Message(b"MSH|^~\\&|").character_set == "ASCII"
    header = b"MSH|^~\\&|S||R||2026||ADT^A08|1|P|2.5||||||"
    assert fastmllp.Message(header + b"8859/1\r").character_set == "8859/1"
    assert fastmllp.Message(header + b"EBCDIC\r").character_set is None

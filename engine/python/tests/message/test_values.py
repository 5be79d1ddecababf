"""Reading and writing values by path."""

import copy

import pytest
from fastmllp_engine import Message, MessageError, PathError, Raw

ADT = (
    b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ADT^A01^ADT_A01|M1|P|2.5\r"
    b"PID|1||1001^^^MR~2002^^^PI||DOE^JANE||19800101|F|||1 MAIN ST^^SPRINGFIELD\r"
    b'OBX|1|ST|GLU||5 \\T\\ 6|10\\S\\9/L||""\r'
    b"OBX|2|FT|NOTE||first\\.br\\N\\T\\V\r"
)


def test_a_value_is_read_without_its_escape_sequences() -> None:
    msg = Message(ADT)
    assert msg["PID-8"] == "F"
    assert msg["PID-5.1"] == "DOE"
    assert msg["PID-3[2].4"] == "PI"
    assert msg["OBX-5"] == "5 & 6"
    assert type(msg["OBX-5"]) is str
    assert msg["OBX-6"] == "10^9/L"
    assert msg["OBX[2]-5"] == "first\\.br\\N&V"
    assert msg["OBX-8"] == '""'
    assert msg["PID-2"] == ""
    assert msg["PID-99"] is None
    assert msg["PV1-2"] is None
    assert msg["MSH-1"] == "|"
    assert msg["MSH-2"] == "^~\\&"


def test_a_node_with_several_values_comes_as_it_stands() -> None:
    msg = Message(b"MSH|^~\\&|A\rPID|||7^^^H&1.2&ISO||A \\T\\ B^C\r")
    for path, text in [
        ("PID-5", "A \\T\\ B^C"),
        ("PID-3", "7^^^H&1.2&ISO"),
        ("PID-3[1]", "7^^^H&1.2&ISO"),
        ("PID-3.4", "H&1.2&ISO"),
        ("PID", "PID|||7^^^H&1.2&ISO||A \\T\\ B^C"),
    ]:
        assert msg[path] == text
        assert type(msg[path]) is Raw
    assert type(msg["PID-5.1"]) is str


@pytest.mark.parametrize(
    "field",
    [
        b"DOE^JANE",
        b"123&SMITH&JOHN",
        b"5 \\T\\ 6 \\F\\ \\S\\ \\R\\ \\E\\",
        b"a~b^c&d~\\T\\",
        b"N\\T\\V\\.br\\next\\H\\bold\\N\\",
        b"\\E\\.br\\E\\",
        b"lone & x\\.br\\",
        b'""',
        b"",
    ],
)
def test_what_is_read_can_be_written_again(field: bytes) -> None:
    payload = b"MSH|^~\\&|A\rOBX|1|TX|x||" + field + b"|after\r"
    for path in ["OBX-5", "OBX-5[1]", "OBX-5.1", "OBX-5.1.1", "OBX-6"]:
        msg = Message(payload)
        msg[path] = msg[path]
        assert msg.encode() == payload
    msg = Message(payload)
    msg["OBX-5"] = msg.bytes("OBX-5")
    assert msg.encode() == payload


def test_a_text_that_is_written_is_one_value() -> None:
    msg = Message(ADT)
    msg["PID-5.1"] = "DOE & SON|^~\\x\r\n\x0b\x1c"
    escaped = b"DOE \\T\\ SON\\F\\\\S\\\\R\\\\E\\x\\X0D\\\\X0A\\\\X0B\\\\X1C\\"
    assert msg.bytes("PID-5.1") == escaped
    assert msg["PID-5.1"] == "DOE & SON|^~\\x\r\n\x0b\x1c"
    assert msg["PID-5.2"] == "JANE"
    msg["NTE-3"] = "N&V"
    assert msg.bytes("NTE") == b"NTE|||N\\T\\V"
    msg["NTE-3"] = "first\\.br\\N&V\\H\\#"
    assert msg.bytes("NTE-3") == b"first\\.br\\N\\T\\V\\H\\#"


def test_a_formatting_sequence_holds_no_separator() -> None:
    msg = Message(ADT)
    for text in ["\\.a^b\\", "\\H|\\", "\\Zx\\.&\\", "\\.br", "\\\\.br\\"]:
        msg["OBX-5"] = text
        assert msg["OBX-5"] == text or type(msg["OBX-5"]) is Raw
        assert msg["OBX-6"] == "10^9/L"
        assert b"^" not in (msg.bytes("OBX-5") or b"") and msg.count_segments() == 4


def test_a_truncation_character_beside_a_formatting_sequence_is_escaped() -> None:
    msg = Message(b"MSH|^~\\&#|A\rNTE|1||x\r")
    msg["NTE-3"] = "a#\\.br\\b#"
    assert msg.bytes("NTE-3") == b"a\\P\\\\.br\\b\\P\\"
    assert msg["NTE-3"] == "a#\\.br\\b#"


def test_raw_text_and_bytes_are_structure_but_cannot_end_the_node() -> None:
    msg = Message(ADT)
    msg["PID-11"] = Raw("1 \\T\\ ST^^X|Y\r")
    assert msg.bytes("PID-11") == b"1 \\T\\ ST^^X\\F\\Y\\X0D\\"
    msg["PID-11"] = b"a^b|c"
    assert msg.bytes("PID-11") == b"a^b\\F\\c"
    msg["PID-11.1"] = b"a^b"
    assert msg.bytes("PID-11.1") == b"a\\S\\b"


def test_none_and_del_remove_a_node_and_nothing_else() -> None:
    msg = Message(ADT)
    msg["PID-5"] = None
    del msg["PID-7"]
    del msg["PID-99"]
    del msg["ZZZ-1"]
    del msg["OBX[1]"]
    del msg["OBX[7]"]
    assert msg.encode() == (
        b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ADT^A01^ADT_A01|M1|P|2.5\r"
        b"PID|1||1001^^^MR~2002^^^PI|||||F|||1 MAIN ST^^SPRINGFIELD\r"
        b"OBX|2|FT|NOTE||first\\.br\\N\\T\\V\r"
    )
    assert "PID-8" in msg and "PID-99" not in msg and "ZZZ" not in msg


def test_occurrence_and_repetition_stand_beside_the_path() -> None:
    msg = Message(ADT)
    assert msg.field("OBX-2", occurrence=2) == "FT"
    assert msg.field("PID-3", repetition=2) == "2002^^^PI"
    assert msg.field("PID-3.1", repetition=2) == "2002"
    assert msg.field("PID-3.1", 1, 2) == "2002"
    assert msg.field("PID-3[2].1", occurrence=1) == "2002"
    msg.set("PID-3.1", "7", repetition=2)
    msg.set("OBX-3", "X", occurrence=2)
    assert msg["PID-3"] == "1001^^^MR~7^^^PI"
    assert msg["OBX[2]-3"] == "X"
    with pytest.raises(PathError):
        msg.field("OBX[2]-2", occurrence=3)
    with pytest.raises(PathError):
        msg.field("PID-3[2]", repetition=3)
    with pytest.raises(PathError):
        msg.field("PID", repetition=1)
    with pytest.raises(PathError):
        msg.field("PID-3", occurrence=0)


def test_repetitions_of_a_field_or_of_one_component() -> None:
    msg = Message(ADT)
    assert msg.repetitions("PID-3") == ["1001^^^MR", "2002^^^PI"]
    assert msg.repetitions("PID-3.1") == ["1001", "2002"]
    assert msg.repetitions("PID-3.4.1") == ["MR", "PI"]
    assert msg.repetitions("PID-3.9") == ["", ""]
    assert msg.repetitions("PID-2") == msg.repetitions("PID-99") == []
    assert msg.repetitions("OBX-5") == ["5 & 6"]
    assert msg.repetitions("OBX[2]-2") == ["FT"]
    assert msg.repetitions("MSH-2") == ["^~\\&"]
    for path in ["PID", "PID-3[2]"]:
        with pytest.raises(PathError):
            msg.repetitions(path)
    msg.add_repetition("PID-3", "a^b")
    msg.add_repetition("PID-2", Raw("9^^^X"))
    assert msg["PID-3"] == "1001^^^MR~2002^^^PI~a\\S\\b"
    assert msg["PID-2.4"] == "X"
    with pytest.raises(PathError):
        msg.add_repetition("PID-3.1", "x")


def test_the_header_has_names() -> None:
    msg = Message(ADT)
    assert (msg.message_code, msg.trigger_event) == ("ADT", "A01")
    assert (msg.message_type, msg.control_id) == ("ADT^A01", "M1")
    short = Message("MSH|^~\\&|||||||ACK")
    assert (short.message_type, short.trigger_event, short.control_id) == ("ACK", None, None)
    other = Message("MSH:!@*%:::::::ORU!R01:7")
    assert (other.message_type, other.control_id) == ("ORU^R01", "7")
    assert Message("MSH|^~\\&|").message_type is None


def test_the_message_s_own_separators_are_used() -> None:
    msg = Message(b"MSH:!@*%:LAB\rPID:1::7!!!MR\r")
    assert msg["PID-3.4"] == "MR"
    msg["PID-5.1"] = "a:b!c@d*e%f|^"
    assert msg.bytes("PID-5") == b"a*F*b*S*c*R*d*E*e*T*f|^"
    msg.reencode("|^~\\&")
    assert msg.encode() == b"MSH|^~\\&|LAB\rPID|1||7^^^MR||a:b!c@d*e%f\\F\\\\S\\\r"


def test_equality_copies_and_length() -> None:
    msg = Message(ADT)
    assert Message.parse(ADT) == msg == Message(ADT.decode())
    assert msg != ADT and msg != Message(ADT + b"NTE|1\r")
    assert len(msg) == len(ADT) and bytes(msg) == ADT
    assert msg.encode() is ADT
    for other in [msg.copy(), copy.copy(msg), copy.deepcopy(msg)]:
        other["PID-8"] = "M"
        assert msg["PID-8"] == "F" and other != msg
    with pytest.raises(TypeError):
        hash(msg)


def test_nothing_shows_the_payload() -> None:
    msg = Message(ADT)
    assert repr(msg) == str(msg) == f"Message(<{len(ADT)} bytes>)"
    assert repr(msg.segments("MSH")[0]) == "Segment(<67 bytes>)"
    cases = [
        (Message(b"SECRET"), "PID-1", "x", MessageError),
        (msg, "SECRET-1", "x", PathError),
        (msg, "MSH-1", "SECRET", MessageError),
        (msg, "PID-8", 5, TypeError),
        (msg, "PID-1[7]", "SECRET", MessageError),
    ]
    for message, path, value, kind in cases:
        with pytest.raises(kind) as caught:
            message[path] = value  # type: ignore[assignment]
        assert "SECRET" not in repr(caught.value)


def test_errors_have_the_codes_of_the_cores() -> None:
    def code(payload: bytes, path: str, value: str = "x") -> str:
        with pytest.raises(MessageError) as caught:
            Message(payload)[path] = value
        return caught.value.code

    assert code(b"hello", "PID-1") == "no_header"
    assert code(b"", "PID-1") == "no_header"
    assert code(b"MSH|^~\\&\r", "PID[3]-1") == "gap"
    assert code(b"MSH|^~\\&\r", "PID-5.20000") == "too_far"
    assert code(b"MSH|^~\\&\r", "MSH-2") == "header"
    assert code(b"MSH|^~\r", "PID-5.1.2") == "no_delimiter"
    assert code(b"MSH|^~\r", "PID-5", "a|b") == "no_delimiter"
    assert code(b"MSH|^~\\&\rMSH|^~\\&\r", "PID-5") == "batch"
    assert code(b"MSH|^~\\&\r", "PID") == "bad_path"


def test_a_change_that_fails_changes_nothing() -> None:
    msg = Message(ADT)
    with pytest.raises(MessageError):
        msg["PID-3[9]"] = "x"
    assert msg.encode() == ADT


@pytest.mark.parametrize(
    "path",
    ["", "PID-", "PID-0", "PID[0]-1", "pid-3", "PID-4294967296", "PID-3\n", "PÏD-3", "PID-\ud800",
     "PID-3." + "1" * 100_000, "[" * 10_000, "PID-3[2][2]", "PID-3(1)", "\0\0\0-1"],
)  # fmt: skip
def test_a_text_that_is_no_path_is_refused(path: str) -> None:
    msg = Message(ADT)
    for call in (msg.__getitem__, msg.field, msg.bytes, msg.repetitions, msg.__delitem__):
        with pytest.raises((PathError, UnicodeEncodeError)):
            call(path)
    assert msg.encode() == ADT


def test_the_largest_numbers_are_paths_of_nothing() -> None:
    msg = Message(ADT)
    assert msg["PID[4294967295]-4294967295[4294967295].4294967295.4294967295"] is None
    assert msg["ZABCDEF8-1"] is None


def test_msh_alone() -> None:
    for payload in [b"MSH|^~\\&", b"MSH|^~\\&|", b"MSH|^~\\&\r", b"\xef\xbb\xbf\r\nMSH|^~\\&|A"]:
        msg = Message(payload)
        assert [segment.id for segment in msg.segments()] == ["MSH"]
        assert msg["MSH-10"] is None
        msg["MSH-10"] = "7"
        assert msg.control_id == "7"
        msg["PID-3"] = "8"
        assert msg["PID-3"] == "8"


def test_a_batch_is_read_and_sent_but_not_changed() -> None:
    batch = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ADT + ADT + b"BTS|2\rFTS|1\r"
    msg = Message(batch)
    assert msg["PID-8"] == "F" and msg["FHS-3"] == "A"
    assert msg.count_segments("MSH") == 2
    with pytest.raises(MessageError) as caught:
        msg["PID-8"] = "M"
    assert caught.value.code == "batch"
    assert msg.encode() is batch


def test_what_was_accepted_with_a_doubled_escape_is_read() -> None:
    msg = Message(b"MSH|^~\\\\&|A|||||ADT^A01|ADT^A01|7\rPID|1||9^^^X\r")
    assert msg["PID-3.4"] == "X"
    with pytest.raises(MessageError) as caught:
        msg["PID-3.4"] = "Y"
    assert caught.value.code == "duplicate_delimiter"


def test_a_field_of_four_megabytes() -> None:
    size = 4 << 20
    text = "a & b|" * (size // 6)
    msg = Message(ADT)
    msg["OBX-5"] = text
    assert msg["OBX-5"] == text
    assert msg["OBX[2]-2"] == "FT"
    msg["OBX-6"] = "x" * size
    assert len(msg["OBX-6"] or "") == size
    msg["OBX-5"] = None
    msg["OBX-6"] = b"10\\S\\9/L"
    whole = msg.encode()
    assert whole == ADT.replace(b"5 \\T\\ 6", b"")

"""Local segments, addenda and a doubled escape: what messages hold beside the standard."""

import fastmllp
import pytest
from fastmllp.serving.conformant import conformant_answer

HEADER = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|A1|P|2.5\r"
DOUBLED = HEADER.replace(b"^~\\&", b"^~\\\\&") + b"PID|1||4711^^^A&B\r"


@pytest.mark.parametrize("name", ["ZPD", "Z1", "ZABC", "ZA1B2C3D"])
def test_local_segment_is_found_by_the_name_that_iteration_gives(name: str) -> None:
    message = fastmllp.Message(HEADER + b"%s|a^b\r%s|c\r" % (name.encode(), name.encode()))
    assert [segment.id for segment in message][1:] == [name.encode()] * 2
    assert message.get(f"{name}-1.2") == b"b"
    assert message.get(f"{name}[2]-1") == b"c"
    assert str(fastmllp.Path(f"{name}[2].1")) == f"{name}[2]-1"


@pytest.mark.parametrize("path", ["PID3", "PIDX-3", "PI-3", "Z-1", "ZABCDEFGH-1", "zab-1", "1AB-1"])
def test_other_names_are_no_paths(path: str) -> None:
    with pytest.raises(fastmllp.MessageError):
        fastmllp.Message(HEADER).get(path)


def test_segment_that_goes_on_is_told() -> None:
    message = fastmllp.Message(HEADER + b"OBX|1|TX|A||first \rADD|second||||||F\r")
    assert message.has_addenda
    assert not fastmllp.Message(HEADER + b"OBX|1|TX|A||first \rADDX|second\r").has_addenda
    assert (message.get("OBX-5"), message.get("ADD-1")) == (b"first ", b"second")


def test_doubled_escape_character_counts_once() -> None:
    message = fastmllp.Message(DOUBLED, lenient=True)
    assert message.deviation == "doubled_escape"
    assert message.get("PID-3.4.2") == b"B"
    assert fastmllp.Message(HEADER).deviation is None
    with pytest.raises(fastmllp.MessageError) as caught:
        fastmllp.Message(DOUBLED).get("PID-3")
    assert caught.value.code == "duplicate_delimiter"


def test_doubled_escape_character_is_answered_by_either_policy() -> None:
    message = fastmllp.Message(DOUBLED, lenient=True)
    assert conformant_answer(message, "AA").code == "AA"
    for policy in ("always", "conformant"):
        answer = fastmllp.Message(fastmllp.Ack("AA", policy=policy).encode(DOUBLED))
        assert answer.get("MSH-2") == b"^~\\&"
        assert (answer.get("MSA-1"), answer.get("MSA-2")) == (b"AA", b"A1")


@pytest.mark.parametrize(
    "characters", [b"^^~\\&", b"^~~\\&", b"^~\\&&", b"^~\\\\\\&", b"^^~~\\\\&&"]
)
def test_other_doubled_characters_are_not_guessed_at(characters: bytes) -> None:
    payload = HEADER.replace(b"^~\\&", characters)
    assert fastmllp.Message(payload, lenient=True).deviation is None
    with pytest.raises(fastmllp.MessageError):
        fastmllp.Ack("AA", policy="conformant").encode(payload)

"""What a reply says about a refusal."""

import doctest
import random

import fastmllp.client.reply
import pytest
from fastmllp import Ack, ErrorDetail, Reply
from fastmllp._native import read_msa

MARK = "MARKED-PAYLOAD"


def reply(*segments: str, charset: str = "", encoding: str = "utf-8") -> Reply:
    header = f"MSH|^~\\&|LAB||WARD||20240131120001||ACK|R1|P|2.5.1||||||{charset}"
    return Reply.from_payload("\r".join([header, *segments, ""]).encode(encoding))


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ((), None),
        (("MSA|AE|1",), None),
        (("MSA|AE|1|",), None),
        (('MSA|AE|1|""',), None),
        (("MSA|AE|1|no bed",), "no bed"),
        (("MSA|AE|1|no bed", "ERR||||E||||user"), "no bed"),
        (("MSA|AE|1", "ERR||||E|||diagnostic|user"), "user"),
        (("MSA|AE|1|", "ERR||||E|||diagnostic|"), "diagnostic"),
        (("MSA|AE|1", 'ERR||||E|||diagnostic|""'), "diagnostic"),
        (("MSA|AE|1", "ERR||||E", "ERR||||E||||of the second"), None),
        (("MSA|AE|1|a\\F\\b\\T\\c\\X0D\\d",), "a|b&c\rd"),
    ],
)
def test_text(segments: tuple[str, ...], text: str | None) -> None:
    assert reply(*segments).text == text


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("8859/1", "latin-1", "Müller"),
        ("UNICODE UTF-8", "utf-8", "Müller"),
        ("", "utf-8", "Müller"),
        ("8859/5", "iso8859-5", "Ж"),
        ("GB 18030-2000", "gb18030", "床位"),
    ],
)
def test_text_in_a_character_set(charset: str, encoding: str, text: str) -> None:
    assert reply(f"MSA|AE|1|{text}", charset=charset, encoding=encoding).text == text


def test_errors() -> None:
    details = [
        ErrorDetail(101, "PID", 1, 3, diagnostic="diagnostic"),
        ErrorDetail(103, "PV1", 1, 2, user_message="user"),
    ]
    message = b"MSH|^~\\&|A|B|C|D|20240131120000||ADT^A01|1|P|2.5\r"
    received = Reply.from_payload(Ack("AE", errors=details).encode(message))
    assert [error.field(2) for error in received.errors] == [b"PID^1^3", b"PV1^1^2"]
    first = received.errors[0].parts(3)
    assert first is not None and first[0][0] == [b"101"]
    assert received.text == "diagnostic"
    assert reply("MSA|AE|1").errors == []
    assert reply("MSA|AE|1", "ERRX|1").errors == []


def test_the_text_of_our_own_refusal_comes_back() -> None:
    for version in (b"2.3", b"2.5", b"2.7", b"2.9"):
        message = b"MSH|^~\\&|A|B|C|D|20240131120000||ADT^A01|1|P|" + version + b"\r"
        refusal = Ack("AE", text="no | bed").encode(message)
        assert Reply.from_payload(refusal).text == "no | bed"


def test_a_trail_byte_that_looks_like_a_separator() -> None:
    # In Shift_JIS the second byte of this character is 0x7C, the field separator.
    payload = b"MSH|^~\\&|A|B|C|D|2024||ACK|1|P|2.5\rMSA|AE|1|" + "ポ".encode("shift_jis") + b"x\r"
    assert payload[-3:-2] == b"|"
    text = Reply.from_payload(payload, "shift_jis").text
    assert text is not None and text.endswith("x")
    assert Reply.from_payload(payload).text != text


def test_nothing_that_comes_raises() -> None:
    chance = random.Random(1)
    whole = reply("MSA|AE|1|a\\F\\b\\X41\\", "ERR||||E|||d|u", charset="8859/15").payload
    for _ in range(2000):
        payload = bytearray(whole)
        for _ in range(chance.randrange(12)):
            payload[chance.randrange(len(payload))] = chance.choice(
                b"|^~\\&\rMSHAER\0\xff\x0b\x1c8/"
            )
        cut = bytes(payload[: chance.randrange(len(payload) + 1)])
        for scan in ("single_byte", "shift_jis"):
            one = Reply.from_payload(cut, scan)
            assert one.text is None or isinstance(one.text, str)
            assert isinstance(one.errors, list)


def test_no_payload_in_its_description() -> None:
    one = reply(f"MSA|AE|1|{MARK}", f"ERR||||E||||{MARK}")
    assert one.text == MARK
    assert MARK not in repr(one) and MARK not in repr(one.errors)


def test_examples() -> None:
    result = doctest.testmod(fastmllp.client.reply)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"MSH|^~\\&|x\rMSA|AA|A1|text\r", ("AA", "A1")),
        (b"MSH|^~\\&|x\rMSA|A\xe4|\xff~B\\F\\\r", ("A\xe4", "\xff~B\\F\\")),
        (b"MSH|^~\\&|x\rMSA|AE\r", ("AE", "")),
        (b"MSH|^~\\&|x\rMSA\r", ("", "")),
        (b"MSH|^~\\&|x\r", ("", "")),
        (b"MSA|AA|A1\r", ("", "")),
        (b"", ("", "")),
    ],
)
def test_msa_of_any_payload(payload: bytes, expected: tuple[str, str]) -> None:
    assert read_msa(payload) == expected
    reply = Reply.from_payload(payload)
    assert (reply.code, reply.control_id, reply.payload) == (*expected, payload)

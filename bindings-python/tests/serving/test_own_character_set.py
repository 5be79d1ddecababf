"""What a handler says is in one character set with what is mirrored, and MSH-18 says which."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Records, Serve
from fastmllp import Ack, ErrorDetail, Message, Reply, build_ack
from fastmllp.serving.character_set import contradicts, encode_message
from peers import Peer, framed, msa

RSP = "MSH|^~\\&|HIS|H|LAB|L|20260101||RSP^K22|R1|P|2.5||||||%s\rMSA|AA|M1\rPID|1||7||%s\r"


def message(sets: str = "", codec: str = "utf-8", facility: str = "L", scheme: str = "") -> bytes:
    header = f"MSH|^~\\&|LAB|{facility}|HIS|H|20260101||ADT^A01|M1|P|2.5.1||||||{sets}||{scheme}\r"
    return (header + "PID|1\r").encode(codec)


def answer(serve: Serve, result: object, payload: bytes, **options: Any) -> bytes:
    server = serve(lambda _: result, **options)
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        return peer.receive_frame()


def replaced(records: Records) -> list[str]:
    return [
        r.fields["encoding"]  # type: ignore[attr-defined]
        for r in records.all()
        if r.event == "not_encodable" and r.levelno == logging.WARNING  # type: ignore[attr-defined]
    ]


ACKS: list[Callable[[str], Ack]] = [
    lambda text: Ack("AE", text=text),
    lambda text: Ack("AE", errors=[ErrorDetail(207, user_message=text)]),
    lambda text: Ack("AE", errors=[ErrorDetail(207, diagnostic=text)]),
]


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize("make", ACKS, ids=["text", "user_message", "diagnostic"])
@pytest.mark.parametrize(
    ("sets", "scheme", "codec", "facility", "text"),
    [
        ("8859/1", "", "latin-1", "München", "Müller fehlt"),
        ("8859/2", "", "iso8859-2", "Łódź", "Łukasz"),
        ("WINDOWS-1252", "", "cp1252", "L", "5 €"),
        ("UNICODE UTF-8", "", "utf-8", "München", "Łukasz"),
        ("", "", "utf-8", "München", "Łukasz"),
        ("GB 18030-2000", "", "gb18030", "医亅", "亅|亅^"),
        ("~ISO IR87", "ISO 2022-1994", "iso2022_jp", "ヤマダ", "マ|ヤ^"),
        ("ISO IR87", "", "iso2022_jp", "L", "マ"),
    ],
)
def test_texts_are_in_the_set_of_the_message(
    serve_both: Serve,
    records: Records,
    policy: str,
    make: Callable[[str], Ack],
    sets: str,
    scheme: str,
    codec: str,
    facility: str,
    text: str,
) -> None:
    payload = message(sets, codec, facility, scheme)
    raw = answer(serve_both, make(text), payload, policy=policy, scan="auto")
    raw.decode(codec)
    reply = Reply.from_payload(raw, "auto")
    assert reply.text == text
    read = Message(raw, scan="auto")
    assert (reply.code, reply.control_id) == ("AE", "M1")
    assert read.get("MSH-18") == (sets or "UNICODE UTF-8").encode()
    assert (read.get("MSH-20") or b"") == scheme.encode()
    assert read.text("MSH-6") == facility
    assert replaced(records) == []


def test_the_encoding_of_a_server_counts_where_the_message_names_no_set(serve_both: Serve) -> None:
    for facility in ("L", "München"):
        payload = message("", "latin-1", facility)
        raw = answer(serve_both, Ack("AE", text="Müller"), payload, encoding="latin-1")
        assert Message(raw).get("MSH-18") == b"8859/1"
        assert Message(raw).text("MSH-6") == facility
        assert Reply.from_payload(raw).text == "Müller"


@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_what_a_set_lacks_is_replaced_and_reported(
    serve_both: Serve, records: Records, policy: str
) -> None:
    raw = answer(serve_both, Ack("AE", text="Łukasz"), message("8859/1"), policy=policy)
    assert Reply.from_payload(raw).text == "?ukasz"
    assert replaced(records) == ["iso8859-1"]


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize(
    "payload",
    # Latin-1 without a name is not UTF-8; nobody knows the second set.
    [message("", "latin-1", "München"), message("EBCDIC", "latin-1", "München")],
)
def test_two_sets_are_never_in_one_acknowledgment(
    serve_both: Serve, records: Records, payload: bytes, policy: str
) -> None:
    raw = answer(serve_both, Ack("AE", text="Łukasz"), payload, policy=policy)
    assert raw.split(b"\r")[1] == b"MSA|AE|M1|?ukasz"
    assert "München".encode("latin-1") in raw
    assert replaced(records) == ["ascii"]


WIDE = ["UNICODE UTF-16", "UNICODE UTF-32", "utf16", "UTF_32", "UNICODE UTF-16~8859/1", "~UTF-16"]


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize("sets", WIDE)
@pytest.mark.parametrize(
    ("codec", "facility", "label", "text"),
    [
        ("utf-8", "L", "UNICODE UTF-8", "Łukasz"),
        ("utf-8", "München", "UNICODE UTF-8", "Łukasz"),
        # Not UTF-8, so `encoding` decides; not in that either.
        ("iso8859-2", "München", "8859/2", "Łukasz"),
        ("latin-1", "München", None, "?ukasz"),
    ],
)
def test_an_acknowledgment_is_never_called_utf_16(
    serve_both: Serve,
    policy: str,
    sets: str,
    codec: str,
    facility: str,
    label: str | None,
    text: str,
) -> None:
    payload = message(sets, codec, facility)
    encoding = "iso8859-2" if label == "8859/2" else "utf-8"
    raw = answer(serve_both, Ack("AE", text="Łukasz"), payload, policy=policy, encoding=encoding)
    raw.decode(codec)
    assert Message(raw).get("MSH-18") == (label.encode() if label else None)
    assert Message(raw).get("MSH-6") == facility.encode(codec)
    assert raw.endswith(f"|{text}\r".encode(codec))
    # What is said in ASCII has no name of a set.
    for result in ("AA", Ack("AE", text="no"), Ack("AE", character_set="UNICODE UTF-16")):
        raw = answer(serve_both, result, payload, policy=policy, encoding=encoding)
        assert Message(raw).get("MSH-18") is None


def test_utf_16_cannot_be_given() -> None:
    raw = Ack("AE", text="Łukasz", character_set="UNICODE UTF-16").encode(message("8859/2"))
    assert Message(raw).get("MSH-18") == b"8859/2"
    assert Message(raw).text("MSA-3") == "Łukasz"


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize("facility", ["L", "Łódź"])
@pytest.mark.parametrize(
    ("encoding", "label"), [("cp1250", "WINDOWS-1250"), ("utf-8", "UNICODE UTF-8")]
)
def test_the_encoding_of_a_server_counts_where_a_name_is_not_known(
    serve_both: Serve, records: Records, policy: str, facility: str, encoding: str, label: str
) -> None:
    payload = message("ANSI", encoding, facility)
    raw = answer(serve_both, Ack("AE", text="Łukasz"), payload, policy=policy, encoding=encoding)
    assert Message(raw).get("MSH-18") == label.encode()
    assert Message(raw).text("MSH-6") == facility
    assert Reply.from_payload(raw).text == "Łukasz"
    assert replaced(records) == []


def test_an_acknowledgment_in_ascii_has_no_label() -> None:
    for sets in ("", "8859/1", "~ISO IR87"):
        assert b"8859" not in build_ack(message(sets), text="not found")
        assert Message(Ack("AE", text="no").encode(message(sets))).get("MSH-18") is None


def test_acknowledgments_without_a_server() -> None:
    raw = build_ack(message("8859/1"), "AE", text="Müller")
    assert Reply.from_payload(raw).text == "Müller" and b"\xfc" in raw
    raw = build_ack(b"", "AE", text="Müller", encoding="cp1252")
    assert Message(raw).get("MSH-18") == b"WINDOWS-1252"
    ack = Ack("AE", text="Łukasz", sending_facility="Łódź")
    assert Message(ack.encode(message())).text("MSH-4") == "Łódź"
    assert ack.not_encodable(message("8859/1")) == "iso8859-1"
    assert ack.not_encodable(message()) is None
    for encoding in ("utf-16", "utf-32"):
        assert Reply.from_payload(ack.encode(message(), encoding=encoding)).text == "?ukasz"
    with pytest.raises(LookupError):
        ack.encode(message(), encoding="no such codec")


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize(
    ("payload", "given", "codec", "label"),
    [
        (message("", "ascii"), "8859/2", "iso8859-2", "8859/2"),
        (message("8859/1", "ascii"), "8859/2", "iso8859-2", "8859/2"),
        (b"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT|M1|P|2.5\r", "UTF-8", "utf-8", "UTF-8"),
        (message("", "utf-8", "München"), "UNICODE UTF-8", "utf-8", "UNICODE UTF-8"),
        (message("8859/2", "iso8859-2", "München"), "8859/2", "iso8859-2", "8859/2"),
        (message("8859/2", "iso8859-2", "München"), "ISO8859-2", "iso8859-2", "ISO8859-2"),
        # What is copied is in another set, so the given one would be a wrong label.
        (message("", "latin-1", "München"), "UNICODE UTF-8", "latin-1", None),
        (message("8859/2", "iso8859-2", "München"), "8859/1", "iso8859-2", "8859/2"),
        (message("8859/2", "iso8859-2", "München"), "UNICODE UTF-8", "iso8859-2", "8859/2"),
        (message("EBCDIC", "latin-1", "München"), "ASCII", "latin-1", "EBCDIC"),
    ],
)
def test_a_set_that_is_given_counts_where_what_is_copied_is_in_it(
    payload: bytes, given: str, codec: str, label: str | None, policy: str
) -> None:
    ack = Ack("AE", text="Łukasz fehlt", character_set=given, policy=policy)
    raw = ack.encode(payload)
    raw.decode(codec)
    read = Message(raw)
    assert read.get("MSH-18") == (label.encode() if label else None)
    expected = "?ukasz fehlt" if codec == "latin-1" else "Łukasz fehlt"
    assert f"|{expected}".encode(codec) in raw
    assert (ack.not_encodable(payload) is None) == (expected[0] == "Ł")
    # The same where the texts are ASCII.
    plain = Message(Ack("AE", text="no", character_set=given, policy=policy).encode(payload))
    assert plain.get("MSH-18") == (label.encode() if label else None)


@pytest.mark.parametrize(
    ("sets", "encoding", "codec", "expected"),
    [
        ("", "utf-8", "utf-8", "Łukasz"),
        ("", "latin-1", "latin-1", "?ukasz"),
        ("8859/2", "latin-1", "iso8859-2", "Łukasz"),
        ("8859/1", "utf-8", "iso8859-1", "?ukasz"),
        ("EBCDIC", "utf-8", "utf-8", "Łukasz"),
    ],
)
def test_a_whole_message_of_a_handler_as_text(
    serve_both: Serve, records: Records, sets: str, encoding: str, codec: str, expected: str
) -> None:
    raw = answer(serve_both, RSP % (sets, "Łukasz"), message(), encoding=encoding)
    assert raw.decode(codec) == RSP % (sets, expected)
    assert replaced(records) == ([codec] if "?" in expected else [])


def test_a_text_that_contradicts_its_label() -> None:
    assert contradicts(RSP % ("8859/1", "Müller"), "utf-8")
    assert not contradicts(RSP % ("8859/1", "Müller"), "latin-1")
    assert not contradicts(RSP % ("8859/1", "Mueller"), "utf-8")
    assert not contradicts(RSP % ("", "Müller"), "utf-8")
    assert not contradicts(RSP % ("UTF-8", "Müller"), "utf8")
    assert not contradicts("no message, Müller", "latin-1")
    assert encode_message(RSP % ("8859/1~ISO IR87", "山"), "utf-8").encoding == "iso2022_jp"
    assert encode_message("\ud800", "utf-8") == (b"?", "utf-8", 0)


OWN = b"MSH|^~\\&|HIS|H|LAB|L|20260101||ACK|R1|P|2.5\rMSA|AA|M1\r"


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize(
    "result",
    [
        b"AA",
        bytearray(b"AA"),
        pytest.param(memoryview(b"AE"), id="memoryview"),
        b"",
        b"\r",
        "AA ",
        "aa",
        "",
        True,
        0,
        b"ok",
        b"MSA|AA|M1\r",
        b"MSH",
        b"MSH|^~\\&|HIS\r",
        b"MSH Toronto\rMSA|AA|M1\r",
        "MSH|^~\\&|HIS\r",
        "MSH Toronto\rMSA|AA|M1\r",
        OWN.replace(b"AA", b""),
        OWN.replace(b"MSA", b"MSB"),
        *(OWN.replace(b"AA", code) for code in (b"ZZ", b"aa", b" AA", b"AA^", b'""')),
        OWN.replace(b"M1", b"OTHER").decode(),
        OWN.replace(b"M1", b"M"),
        OWN.replace(b"M1", b""),
        OWN.replace(b"M1", b"M1x").replace(b"\r", b"\n"),
        b"BHS|^~\\&|HIS\rBTS|0\r",
    ],
    ids=repr,
)
def test_what_is_no_acknowledgment_is_an_error(
    serve_both: Serve, records: Records, result: object, policy: str
) -> None:
    assert msa(answer(serve_both, result, message(), policy=policy)) == ("AE", "M1")
    assert "handler_result" in {r.event for r in records.all()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("policy", ["always", "conformant"])
@pytest.mark.parametrize(
    "own",
    [
        OWN,
        OWN.replace(b"\r", b"\n"),
        OWN.replace(b"AA|M1", b"CE |M1  "),
        OWN.replace(b"M1", b"\\X4D\\1"),
        OWN.replace(b"ACK", b"RSP^K22") + b"QAK|1\r",
        OWN.replace(b"\rMSA", b"\rSFT|x\rMSA"),
        OWN.replace(b"^~\\&", b"^~\\\\&"),
        b"BHS|^~\\&|HIS\r" + OWN + b"BTS|1\r",
    ],
)
def test_an_acknowledgment_of_a_handler_goes_back_as_it_is(
    serve_both: Serve, records: Records, own: bytes, policy: str
) -> None:
    assert answer(serve_both, own, message(), policy=policy) == own
    assert "handler_result" not in {r.event for r in records.all()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_lines_of_an_acknowledgment_in_text_become_segments(
    serve_both: Serve, policy: str, end: str
) -> None:
    own = OWN.decode().replace("\r", end)
    assert answer(serve_both, own, message(), policy=policy) == OWN


@pytest.mark.parametrize(
    "payload",
    [
        message().replace(b"|M1|", b"||"),
        b"MSH|^~\\&|HIS\r",
        b"no header",
        b"BHS|^~\\&|HIS\r" + message() + message().replace(b"M1", b"M2") + b"BTS|2\r",
    ],
    ids=["empty", "short", "none", "batch"],
)
def test_an_acknowledgment_of_what_has_no_control_id(serve_both: Serve, payload: bytes) -> None:
    own = OWN.replace(b"M1", b"M2")
    assert answer(serve_both, own, payload) == own


def test_names_in_escape_sequences_are_never_called_utf_8() -> None:
    """Their bytes are ASCII, and MSH-18 names no set that is known."""
    header = b"MSH|^~\\&|A|\x1b$B;3ED\x1b(B|C|D|2026||ADT^A01|1|P|2.5||||||ANSI\r"
    answer = Ack("AA", text="\u00e9").encode(header)
    assert b"UTF-8" not in answer
    assert answer.endswith(b"|ANSI\rMSA|AA|1|?\r")


def test_a_long_escape_sequence_is_read_in_a_loop() -> None:
    value = b"\x1b" + b" " * 1_000_000
    message = Message(
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rPID|1||%b\r"
        % value
    )
    text = message.text("PID-3")
    assert text is not None
    assert len(text) == len(value)

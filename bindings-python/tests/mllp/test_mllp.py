"""Framing as Python sees it; the machine itself is tested where it lives."""

import socket
from typing import Any

import fastmllp
import pytest
from fastmllp import Decoder, FrameError, encode_slices, frame
from fastmllp.mllp import unframe_stream
from peers import DEADLINE, framed, message

A, B = message("A"), message("B")


def test_framing_bytes() -> None:
    assert (fastmllp.START_BLOCK, fastmllp.END_BLOCK, fastmllp.CARRIAGE_RETURN) == (11, 28, 13)
    assert frame(A) == b"\x0b" + A + b"\x1c\r"
    assert frame(bytearray(b"x")) == frame(memoryview(b"x")) == b"\x0bx\x1c\r"


@pytest.mark.parametrize("payload", [b"\x0b", b"\x1c", b"MSH|\x1c\r"])
def test_framing_bytes_cannot_be_sent(payload: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        frame(payload)
    assert caught.value.code == "reserved_byte"
    with pytest.raises(FrameError) as caught_too:
        encode_slices(payload)
    assert caught_too.value.code == "reserved_byte"
    assert str(caught_too.value) == str(caught.value)


def test_a_frame_in_three_pieces() -> None:
    pieces = encode_slices(A)
    assert pieces == (b"\x0b", A, b"\x1c\r")
    assert pieces[1] is A, "the payload was copied"
    assert encode_slices(b"") == (b"\x0b", b"", b"\x1c\r")
    for payload in (bytearray(A), memoryview(A)):
        pieces = encode_slices(payload)
        assert pieces == encode_slices(A) and type(pieces[1]) is bytes
    text: Any = "MSH|"
    with pytest.raises(TypeError):
        encode_slices(text)


def test_the_pieces_of_a_buffer_are_its_bytes_at_the_time_of_the_call() -> None:
    buffer = bytearray(A)
    pieces = encode_slices(buffer)
    buffer[:] = b"\x1c" * len(buffer)
    assert pieces[1] == A


def test_the_three_pieces_as_one_gathering_write() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(DEADLINE)
        written = ours.sendmsg(encode_slices(A))
        assert written == len(frame(A))
        assert theirs.recv(written + 1) == frame(A)


@pytest.mark.parametrize(
    ("buffer", "payloads", "rest"),
    [
        (b"", [], b""),
        (framed(A), [A], b""),
        (framed(A) + framed(B), [A, B], b""),
        (framed(A) + framed(B)[:10], [A], framed(B)[:10]),
        (framed(A)[:-2], [], framed(A)[:-2]),
        (framed(A)[:-1], [A], b""),
        (b"\x0b", [], b"\x0b"),
        (b"junk" + framed(A) + b"\n\njunk\x0bMSH", [A], b"\x0bMSH"),
        (b"junk", [], b""),
        (b"\x1c\r", [], b""),
        (framed(b""), [b""], b""),
        (b"\x0b" + A + b"\x1c" + framed(B), [A, B], b""),
        (b"\x0bA\x0bB", [], b"\x0bA\x0bB"),
    ],
)
def test_unframe_stream(buffer: bytes, payloads: list[bytes], rest: bytes) -> None:
    assert unframe_stream(buffer) == (payloads, rest)
    assert unframe_stream(bytearray(buffer)) == (payloads, rest)
    assert unframe_stream(memoryview(buffer)) == (payloads, rest)


def test_unframe_stream_has_no_limit() -> None:
    payload = A.ljust(3_000_000, b"x")
    assert unframe_stream(framed(payload)) == ([payload], b"")


def test_unframe_stream_in_a_receive_loop() -> None:
    stream = b"junk" + framed(A) + b"\r\n" + framed(B) + framed(b"")
    for size in range(1, len(stream)):
        buffer, received = b"", []
        for offset in range(0, len(stream), size):
            payloads, buffer = unframe_stream(buffer + stream[offset : offset + size])
            received += payloads
        assert (received, buffer) == ([A, B, b""], b"")


def test_decoder_gives_the_same_for_every_cut() -> None:
    stream = b"junk" + framed(A) + b"\r\n" + framed(B)[:-1] + framed(b"")
    for cut in range(len(stream) + 1):
        decoder = Decoder()
        assert decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) == [A, B, b""]
        assert decoder.pending == 0


def test_other_framing_bytes() -> None:
    framed = fastmllp.frame(b"a\x0bb", start_block=2, end_block=3, trailer=None)
    assert framed == b"\x02a\x0bb\x03"
    pieces = encode_slices(b"a\x0bb", start_block=2, end_block=3, trailer=None)
    assert pieces == (b"\x02", b"a\x0bb", b"\x03")
    decoder = fastmllp.Decoder(start_block=2, end_block=3, trailer=None)
    assert decoder.feed(framed + framed) == [b"a\x0bb", b"a\x0bb"]
    assert decoder.counters["missing_cr"] == 0
    for bytes_ in ({"start_block": 3}, {"trailer": 2}):
        with pytest.raises(fastmllp.FrameError) as raised:
            fastmllp.Decoder(**({"start_block": 2, "end_block": 3} | bytes_))
        assert raised.value.code == "invalid_framing"
        with pytest.raises(fastmllp.FrameError) as raised:
            encode_slices(b"", **({"start_block": 2, "end_block": 3} | bytes_))
        assert raised.value.code == "invalid_framing"


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_beginning_of_a_lost_payload_is_kept(size: int) -> None:
    decoder = fastmllp.Decoder(max_payload_len=40)
    assert decoder.lost_prefix == b""
    header = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|M1|P|2.5\r"
    stream = b"\x0b" + header + b"PID|1\r\x1c\r"
    for at in range(0, len(stream), size):
        decoder.events(stream[at : at + size])
    assert decoder.lost_prefix == header[:40]
    assert decoder.counters["too_large"] == 1


@pytest.mark.parametrize("limit", range(1, 40))
def test_a_lost_payload_lends_no_part_of_a_field(limit: int) -> None:
    decoder = fastmllp.Decoder(max_payload_len=limit)
    header = b"MSH|^~\\&|AB|CD|EF|GH|2026||ADT^A01|M4711|P|2.5\r"
    decoder.events(b"\x0b" + header)
    assert header.startswith(decoder.lost_prefix)
    answer = fastmllp.Message(fastmllp.build_ack(decoder.lost_prefix, "AR", control_id="NEW"))
    assert answer.get("MSA-2") in (b"NEW", b"M4711")
    assert answer.get("MSH-6") in (b"UNKNOWN", b"CD")

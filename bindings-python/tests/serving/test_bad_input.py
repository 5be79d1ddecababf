"""Bad input over a real socket: it is answered as far as it can be, and it disturbs nobody."""

import logging

import pytest
from conftest import Records, Serve, Undisturbed
from peers import Peer, framed, message, msa


def test_junk_before_a_start_block(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both()
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(b"login: \xff\x00GET / HTTP/1.1\r\n" + framed(message("A")))
        assert peer.receive_msa() == ("AA", "A")
        assert records.wait_for("discarded").levelno == logging.WARNING
        peer.exchange("B")


@pytest.mark.parametrize(
    ("first", "protocol"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls"),
        (b"GET / HTTP/1.1\r\n\r\n", "http"),
        (message("A"), "hl7_unframed"),
    ],
)
def test_another_protocol_is_named_in_the_log(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, first: bytes, protocol: str
) -> None:
    server = serve_both()
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(first)
        peer.half_close()
        record = records.wait_for("wrong_protocol")
        assert record.levelno == logging.WARNING
        assert f"protocol={protocol}" in record.getMessage()
        assert peer.receive_end() == b"", "bytes of another protocol were answered"


def test_padding_between_frames_is_no_warning(serve_both: Serve, records: Records) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + b"\r\n\r\n" + framed(message("B")) + b"\n")
        assert [peer.receive_msa(), peer.receive_msa()] == [("AA", "A"), ("AA", "B")]
        peer.exchange("C")
    records.wait_for("disconnect")
    assert all(record.levelno < logging.WARNING for record in records.all())


def test_frame_without_carriage_return(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both()
    with undisturbed(server), Peer.connect(server.address) as peer:
        # Answered at once, although nothing follows: the sender waits for this answer.
        peer.send(b"\x0b" + message("A") + b"\x1c")
        assert peer.receive_msa() == ("AA", "A")
        peer.send(b"\x0b" + message("B") + b"\x1c" + b"\x0b" + message("C") + b"\x1c\r")
        assert [peer.receive_msa(), peer.receive_msa()] == [("AA", "B"), ("AA", "C")]
        records.wait_for("missing_cr")


def test_two_frames_in_one_read(serve_both: Serve, undisturbed: Undisturbed) -> None:
    server = serve_both()
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert [peer.receive_msa(), peer.receive_msa()] == [("AA", "A"), ("AA", "B")]


def test_frame_cut_into_single_bytes(serve_both: Serve, undisturbed: Undisturbed) -> None:
    received: list[bytes] = []

    def keep(message: object) -> None:
        received.append(message.payload)  # type: ignore[attr-defined]

    server = serve_both(keep)
    with undisturbed(server), Peer.connect(server.address) as peer:
        for byte in framed(message("A")):
            peer.send(bytes([byte]))
        assert peer.receive_msa() == ("AA", "A")
    assert message("A") in received


def test_end_block_and_carriage_return_in_two_segments(serve_both: Serve, records: Records) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A"))[:-1])
        assert peer.receive_msa() == ("AA", "A")
        peer.send(b"\r" + framed(message("B"))[:-2])
        peer.send(b"\x1c")
        assert peer.receive_msa() == ("AA", "B")
        peer.send(b"\r")
        peer.exchange("C")
    records.wait_for("disconnect")
    events = [getattr(record, "event", "") for record in records.all()]
    assert "missing_cr" not in events and "discarded" not in events


@pytest.mark.parametrize("size", [1001, 5_000_000])
def test_frame_above_the_limit(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, size: int
) -> None:
    server = serve_both(max_size=1000)
    with undisturbed(server), Peer.connect(server.address) as peer:
        before = framed(message("A")) + framed(message("B"))
        large = b"\x0b" + message("LARGE").ljust(size, b"x") + b"\x1c\r"
        peer.send(before + large + framed(message("C")))
        # What came before is answered, in order, although the close leaves input unread.
        ends = peer.receive_end().split(b"\x1c\r")
        assert [msa(end[1:]) for end in ends[:-1]] == [("AA", "A"), ("AA", "B")]
        assert ends[-1] == b""
        warning = records.wait_for("frame_too_large")
        assert warning.levelno == logging.WARNING
        assert f"connection={warning.connection}" in warning.getMessage()  # type: ignore[attr-defined]
        assert warning.connection == 2  # type: ignore[attr-defined]


def test_frame_of_exactly_the_limit(serve_both: Serve) -> None:
    server = serve_both(max_size=1000)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A").ljust(1000, b"x")))
        assert peer.receive_msa() == ("AA", "A")


def test_client_leaves_in_mid_frame(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both()
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("CUT"))[:40])
        assert peer.receive_msa() == ("AA", "A")
        peer.half_close()
        assert peer.receive_end() == b"", "a truncated message was answered"
        assert records.wait_for("truncated").levelno == logging.WARNING


def test_client_resets_in_mid_frame(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both()
    with undisturbed(server):
        peer = Peer.connect(server.address)
        peer.send(framed(message("A")) + framed(message("CUT"))[:40])
        assert peer.receive_msa() == ("AA", "A")
        peer.reset()
        lost = records.wait_for("connection_lost")
        assert lost.levelno == logging.WARNING


def test_client_leaves_with_its_acknowledgment_unread(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    received: list[bytes] = []

    def keep(message: object) -> None:
        received.append(message.payload)  # type: ignore[attr-defined]

    server = serve_both(keep)
    with undisturbed(server):
        for number in range(3):
            peer = Peer.connect(server.address)
            peer.send(b"".join(framed(message(f"{number}.{n}")) for n in range(50)))
            peer.socket.close()
            records.wait_for("disconnect")
    # The frames were whole, so the handler got them, whatever became of their acknowledgments.
    control_ids = [payload.split(b"|")[9].decode() for payload in received]
    assert [c for c in control_ids if "." in c] == [f"{a}.{b}" for a in range(3) for b in range(50)]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\r",
        b"no header at all",
        b"PID|1||4711\r",
        b"MSH",
        b"MSH|",
        b"MSH|^~\\&",
        b"\x00\xff\xfe",
        b"\x06",
        b"FHS|^~\\&|A\rBHS|^~\\&\r",
    ],
)
def test_payload_without_a_usable_header(
    serve_both: Serve, undisturbed: Undisturbed, payload: bytes
) -> None:
    received: list[bytes] = []

    def keep(message: object) -> None:
        received.append(message.payload)  # type: ignore[attr-defined]

    server = serve_both(keep)
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        code, control_id = peer.receive_msa()
        assert code == "AA" and len(control_id) == 32
        peer.exchange("NEXT")
    assert payload in received


def test_start_block_inside_of_the_header(serve_both: Serve, records: Records) -> None:
    """Permissive: a start block in a frame is payload; the answer's frame must survive it."""
    server = serve_both()
    with Peer.connect(server.address) as peer:
        cut = message("CUT")[:20]
        peer.send(b"\x0b" + cut + framed(message("A")))
        answer = peer.receive_frame()
        assert b"\x0b" not in answer and b"MSA|AA|" in answer
        assert records.wait_for("sb_in_payload").levelno == logging.WARNING
        peer.exchange("B")


def test_end_block_inside_of_the_header(serve_both: Serve) -> None:
    """Resync: a lone end block is payload there, and the answer must survive that too."""
    server = serve_both(profile="resync")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A").replace(b"SENDER", b"SEN\x1cDER")))
        assert peer.receive_msa() == ("AA", "A")


def test_resync_profile_drops_the_unfinished_frame(serve_both: Serve, records: Records) -> None:
    server = serve_both(profile="resync")
    with Peer.connect(server.address) as peer:
        peer.send(b"\x0b" + message("CUT")[:20] + framed(message("A")))
        assert peer.receive_msa() == ("AA", "A")
        peer.exchange("B")

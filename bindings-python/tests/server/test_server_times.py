"""Times of the server, each made short; the clock of the test only says that none ends early."""

import logging
import threading
import time

import pytest
from conftest import Records, Serve, Undisturbed
from fastmllp import Message
from fastmllp.serving.readiness import Readiness
from peers import DEADLINE, Peer, framed, message, not_before


def drip(peer: Peer, stop: threading.Event, pause: float) -> None:
    """Send a byte again and again until the other end closes."""
    while not stop.wait(pause):
        try:
            peer.socket.send(b"x")
        except OSError:
            return


def test_idle_connection_is_closed(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both(timeout=0.3)
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        assert peer.receive_end() == b""
    assert records.wait_for("idle_timeout").connection == 1  # type: ignore[attr-defined]
    with undisturbed(server):
        pass


def test_connection_that_never_sends_is_closed(serve_both: Serve, records: Records) -> None:
    server = serve_both(timeout=0.2)
    with Peer.connect(server.address) as peer:
        assert peer.receive_end() == b""
    records.wait_for("idle_timeout")


def test_sender_that_pauses_in_mid_frame(
    serve_both: Serve, undisturbed: Undisturbed, records: Records
) -> None:
    server = serve_both(timeout=0.3)
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        peer.send(framed(message("CUT"))[:30])
        assert peer.receive_end() == b"", "a truncated message was answered"
    records.wait_for("byte_timeout")
    records.wait_for("truncated")
    with undisturbed(server):
        pass


@pytest.mark.parametrize("pause", [0.02, 0])
def test_dripping_sender_does_not_extend_the_time_of_a_frame(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, pause: float
) -> None:
    server = serve_both(timeout=5, frame_timeout=0.5, max_size=100_000_000)
    stop = threading.Event()
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        with not_before(0.5):
            peer.send(b"\x0b")
            thread = threading.Thread(target=drip, args=(peer, stop, pause))
            thread.start()
            with undisturbed(server):
                records.wait_for("frame_timeout")
        stop.set()
        thread.join(DEADLINE)


def test_time_of_a_frame_starts_anew_with_each_frame(serve_both: Serve, records: Records) -> None:
    """Frames without a pause between them: each read ends inside of the next frame."""
    server = serve_both(frame_timeout=0.5)
    stream = b"".join(framed(message(f"{number:03}")) for number in range(60))
    until = time.monotonic() + 1.2
    with Peer.connect(server.address) as peer:
        step = len(framed(message("000")))
        offset = step // 2
        peer.send(stream[:offset])
        number = 0
        while time.monotonic() < until:
            peer.send(stream[offset : offset + step])
            offset += step
            assert peer.receive_msa() == ("AA", f"{number:03}")
            number += 1
            assert not threading.Event().wait(0.03)
        assert number > 10
    assert "frame_timeout" not in [getattr(record, "event", "") for record in records.all()]


def test_dripping_junk_is_no_frame(serve_both: Serve, records: Records) -> None:
    """Bytes outside of a frame keep a connection alive, as any bytes do."""
    server = serve_both(timeout=0.4, frame_timeout=0.2)
    with Peer.connect(server.address) as peer:
        until = time.monotonic() + 0.8
        while time.monotonic() < until:
            peer.send(b"\n")
            assert not threading.Event().wait(0.05)
        peer.exchange("A")


def test_idle_time_does_not_run_while_the_handler_works(
    serve_both: Serve, records: Records
) -> None:
    entered, proceed = threading.Event(), threading.Event()

    def handler(message: Message) -> None:
        entered.set()
        assert not proceed.wait(0.6)

    server = serve_both(handler, timeout=0.3, frame_timeout=0.3)
    with Peer.connect(server.address) as peer:
        # The second frame is begun when the handler starts; the wait is not its sender's.
        peer.send(framed(message("A")) + framed(message("B"))[:20])
        assert entered.wait(DEADLINE)
        assert peer.receive_msa() == ("AA", "A")
        peer.send(framed(message("B"))[20:])
        assert peer.receive_msa() == ("AA", "B")


@pytest.mark.parametrize("setting", ["timeout", "frame_timeout"])
def test_zero_turns_a_time_off(serve_both: Serve, setting: str) -> None:
    other = "frame_timeout" if setting == "timeout" else "timeout"
    server = serve_both(**{setting: 0, other: 60})
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        peer.send(framed(message("B"))[:20])
        peer.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            peer.socket.recv(1)
        peer.socket.settimeout(DEADLINE)
        peer.send(framed(message("B"))[20:])
        assert peer.receive_msa() == ("AA", "B")


@pytest.mark.parametrize("timeout", [10, 0])
def test_resync_profile_settles_an_open_end_after_a_pause(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, timeout: float
) -> None:
    """A sender that leaves out the carriage return gets its answer and keeps its connection."""
    server = serve_both(
        lambda message: None, timeout=timeout, frame_timeout=timeout, profile="resync"
    )
    with undisturbed(server), Peer.connect(server.address) as peer:
        with not_before(0.2):  # That is the wait for the trailer.
            peer.send(framed(message("A"))[:-1])
            assert peer.receive_msa() == ("AA", "A")
        records.wait_for("missing_cr")
        # The trailer, later than anyone waits, is no fault; nor is it part of the next frame.
        peer.send(b"\r")
        peer.exchange("B")
        peer.send(framed(message("C"))[:-1])
        assert peer.receive_msa() == ("AA", "C")
    records.wait_for("disconnect")
    closed = {"idle_timeout", "byte_timeout", "frame_timeout", "discarded"}
    for record in records.all():
        assert record.levelno < logging.WARNING or record.event == "missing_cr"  # type: ignore[attr-defined]
        assert record.levelno == logging.DEBUG or record.event not in closed  # type: ignore[attr-defined]


def test_resync_profile_takes_a_trailer_that_comes_in_time(
    serve_both: Serve, records: Records
) -> None:
    server = serve_both(profile="resync")
    with Peer.connect(server.address) as peer:
        for control_id in ("A", "B", "C"):
            peer.send(framed(message(control_id))[:-1])
            peer.send(b"\r")
            assert peer.receive_msa() == ("AA", control_id)
    records.wait_for("disconnect")
    assert "missing_cr" not in [getattr(record, "event", "") for record in records.all()]


@pytest.mark.parametrize("profile", ["resync", "permissive", "strict"])
def test_pause_in_mid_frame_wakes_nobody(
    serve_both: Serve, records: Records, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """The thread sleeps until something comes or a time of the connection is over."""
    waits: list[str] = []
    wait = Readiness.wait

    def counted(self: Readiness, *arguments: float | None, **options: bool) -> bool:
        if threading.current_thread().name.startswith("fastmllp-"):
            waits.append("wait")
        return wait(self, *arguments, **options)

    monkeypatch.setattr(Readiness, "wait", counted)
    server = serve_both(timeout=1.2, profile=profile)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A"))[:20])
        # Long enough for a pause behind an end block, which this is not.
        assert not threading.Event().wait(0.5)
        peer.send(framed(message("A"))[20:30])
        records.wait_for("byte_timeout")
        before_the_close = len(waits)
    assert before_the_close <= 4


def test_resync_profile_settles_an_open_end_when_the_time_is_over(serve_both: Serve) -> None:
    """A time that is shorter than the wait for the trailer: answered all the same, then closed."""
    server = serve_both(timeout=0.1, profile="resync")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A"))[:-1])
        assert peer.receive_msa() == ("AA", "A")
        assert peer.receive_end() == b""

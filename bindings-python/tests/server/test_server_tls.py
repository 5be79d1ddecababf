"""A server that speaks TLS: the same conversation inside of it."""

import contextlib
import logging
import ssl
import threading

import pytest
from certificates import Authority
from conftest import Records, Serve
from fastmllp import Message
from fastmllp.server import Server
from fastmllp.tls import client_context, server_context
from peers import DEADLINE, Peer, framed, message, msa

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def context(authority: Authority) -> ssl.SSLContext:
    """Of the server."""
    identity = authority.issue("localhost", "127.0.0.1")
    return server_context(identity.certificate, identity.key)


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """Of the client."""
    return client_context(ca=authority.file)


def handshake(address: tuple[str, int], trusting: ssl.SSLContext) -> tuple[Peer, ssl.SSLObject]:
    """A peer that writes the wire by itself, and its end of TLS, which is open."""
    peer = Peer.connect(address)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    inside = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    inside.outgoing = outgoing  # type: ignore[attr-defined]
    inside.incoming = incoming  # type: ignore[attr-defined]
    while True:
        try:
            inside.do_handshake()
        except ssl.SSLWantReadError:
            peer.send(outgoing.read())
            incoming.write(peer.socket.recv(65536))
        else:
            return peer, inside


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("with_handler", [False, True])
def test_messages_are_answered_in_order(
    serve_all: Serve,
    records: Records,
    context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    version: ssl.TLSVersion,
    with_handler: bool,
) -> None:
    context.maximum_version = version
    server = serve_all((lambda message: None) if with_handler else None, tls=context)
    control_ids = [f"MSG{number:05}" for number in range(200)]
    with Peer.secure(server.address, trusting) as peer:
        peer.send(b"".join(framed(message(control_id)) for control_id in control_ids))
        assert [peer.receive_msa() for _ in control_ids] == [("AA", c) for c in control_ids]
    established = records.wait_for("tls_established")
    assert established.fields["version"] == version.name.replace("_", ".")  # type: ignore[attr-defined]
    records.wait_for("disconnect")
    assert all(record.levelno < logging.WARNING for record in records.all())


def test_large_message_and_large_answer(
    serve_all: Serve, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    seen: list[bytes] = []
    answer = b"MSH|^~\\&|\rMSA|AA|A\rZZZ|" + bytes(range(65, 91)) * 200_000

    def handler(received: Message) -> bytes:
        seen.append(received.payload)
        return answer

    server = serve_all(handler, tls=context, max_size=6_000_000)
    payload = message("A") + bytes(range(97, 123)) * 200_000
    with Peer.secure(server.address, trusting) as peer:
        for _ in range(2):
            peer.send(framed(payload))
            assert peer.receive_frame() == answer
    assert seen == [payload, payload]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ending", ["word", "close", "reset"])
def test_client_that_sends_and_leaves_at_once(
    serve_all: Serve,
    records: Records,
    context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    version: ssl.TLSVersion,
    ending: str,
) -> None:
    """Its messages arrive, all of them, whatever becomes of their acknowledgments."""
    context.maximum_version = version
    seen: list[bytes] = []

    def keep(received: Message) -> None:
        seen.append(received.payload)

    server = serve_all(keep, tls=context)
    for number in range(10):
        peer, inside = handshake(server.address, trusting)
        for name in "AB":
            inside.write(framed(message(f"{number}.{name}")))
        if ending == "word":
            with contextlib.suppress(ssl.SSLWantReadError):
                inside.unwrap()
        peer.send(inside.outgoing.read())  # type: ignore[attr-defined]
        if ending == "reset":
            # Not before the server has it: a reset may overtake what was sent.
            records.wait_for("message_received")
            records.wait_for("message_received")
            peer.reset()
        peer.socket.close()
        records.wait_for("disconnect")
    expected = [f"{number}.{name}".encode() for number in range(10) for name in "AB"]
    assert [payload.split(b"|")[9] for payload in seen] == expected


def test_client_that_ends_its_side_is_answered(
    serve_all: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """It says so inside of TLS only: after that, nothing makes the socket readable."""
    server = serve_all(tls=context, timeout=0)
    peer, inside = handshake(server.address, trusting)
    with peer:
        inside.write(framed(message("A")))
        with pytest.raises(ssl.SSLWantReadError):
            inside.unwrap()
        peer.send(inside.outgoing.read())  # type: ignore[attr-defined]
        assert len(peer.receive_end()) > len(framed(message("A")))
    fields = records.wait_for("disconnect").fields  # type: ignore[attr-defined]
    assert fields == {"reason": "end_of_stream", "messages": 1}


def test_record_that_was_tampered_with(
    serve_all: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_all(tls=context)
    peer, inside = handshake(server.address, trusting)
    with peer:
        inside.write(framed(message("A")))
        first = inside.outgoing.read()  # type: ignore[attr-defined]
        inside.write(framed(message("B")))
        second = bytearray(inside.outgoing.read())  # type: ignore[attr-defined]
        second[-1] ^= 1
        peer.send(first + second)
        assert "bad_record_mac" in records.wait_for("tls_failed").getMessage()
        fields = records.wait_for("disconnect").fields  # type: ignore[attr-defined]
    assert fields == {"reason": "tls_failed", "messages": 1}


@pytest.mark.parametrize("begun", [0, 1, 100])
def test_stalled_handshake_holds_up_nobody(
    serve_all: Serve,
    records: Records,
    context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    begun: int,
) -> None:
    server = serve_all(tls=context, timeout=0.4)
    outgoing = ssl.MemoryBIO()
    hello = trusting.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    with Peer.connect(server.address) as stalled:
        stalled.send(outgoing.read()[:begun])
        with Peer.secure(server.address, trusting) as peer:
            peer.exchange("A")
        assert stalled.receive_end() == b""
    failed = records.wait_for("tls_failed")
    assert failed.connection == 1 and failed.fields["reason"] == "timeout"  # type: ignore[attr-defined]


def test_dripped_handshake_does_not_extend_the_time(
    serve_all: Serve, records: Records, context: ssl.SSLContext
) -> None:
    server = serve_all(tls=context, timeout=0.5)
    with Peer.connect(server.address) as peer:
        # A record of the greatest length, of which a byte comes now and then.
        peer.send(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")
        stop = threading.Event()
        with contextlib.suppress(OSError):
            while not stop.wait(0.05):
                peer.socket.sendall(b"x")
    assert records.wait_for("tls_failed").fields["reason"] == "timeout"  # type: ignore[attr-defined]


def test_stop_is_noticed_in_a_stalled_handshake(
    serve_all: Serve, records: Records, context: ssl.SSLContext
) -> None:
    server = serve_all(tls=context, timeout=0)
    with Peer.connect(server.address) as peer:
        peer.send(b"\x16\x03\x01")
        records.wait_for("connect")
        server.shutdown()
        assert peer.receive_end() == b""
    assert records.wait_for("disconnect").fields["reason"] == "stopped"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (framed(message("A", "MARK4711")), "plain_mllp"),
        (message("A", "MARK4711"), "plain_mllp"),
        (b"GET / HTTP/1.1\r\nHost: MARK4711\r\n\r\n", "http"),
        (b"MARK4711\r\n" * 3, "not_tls"),
    ],
)
def test_peer_that_does_not_speak_tls(
    serve_all: Serve, records: Records, context: ssl.SSLContext, first: bytes, reason: str
) -> None:
    server = serve_all(tls=context)
    with Peer.connect(server.address) as peer:
        peer.send(first)
        # The alert unexpected_message, and the end.
        assert peer.receive_end() == b"\x15\x03\x03\x00\x02\x02\x0a"
    failed = records.wait_for("tls_failed")
    assert failed.levelno == logging.WARNING
    assert failed.fields["reason"] == reason  # type: ignore[attr-defined]
    records.wait_for("disconnect")
    text = " ".join(record.getMessage() for record in records.all())
    assert "MARK4711" not in text and "message_received" not in text


def test_probe_that_only_connects_is_no_warning(
    serve_all: Serve, records: Records, context: ssl.SSLContext
) -> None:
    server = serve_all(tls=context)
    Peer.connect(server.address).socket.close()
    failed = records.wait_for("tls_failed")
    assert failed.levelno == logging.INFO
    assert failed.fields["reason"] == "closed"  # type: ignore[attr-defined]


def test_stop_answers_everything_and_says_goodbye(
    serve_all: Serve, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_all(tls=context)
    peers = [Peer.secure(server.address, trusting) for _ in range(10)]
    control_ids = [f"{number:06}" for number in range(500)]
    data = b"".join(framed(message(control_id)) for control_id in control_ids)
    for peer in peers:
        peer.exchange("FIRST")
    for peer in peers:
        peer.send(data)
    server.shutdown()
    for peer in peers:
        # Without the word for the end this is an error.
        frames = peer.receive_end().split(b"\x1c\r")
        assert [msa(frame[1:]) for frame in frames[:-1]] == [("AA", c) for c in control_ids]
        assert frames[-1] == b""
        peer.socket.close()


def test_idle_connection_is_closed(
    serve_both: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_both(tls=context, timeout=0.3)
    with Peer.secure(server.address, trusting) as peer:
        peer.exchange("A")
        assert peer.receive_end() == b""
    records.wait_for("idle_timeout")


def long_answer(message: Message) -> bytes | None:
    """An acknowledgment of a megabyte for some: a dozen are more than all buffers can hold."""
    if message.get("PID-5") != b"DEAF":
        return None
    return b"MSH|^~\\&|\rMSA|AA|A\rZZZ|".ljust(1_000_000, b"x")


def test_peer_that_never_reads_is_given_up(
    serve_all: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_all(long_answer, tls=context, timeout=0.5)
    with Peer.secure(server.address, trusting) as deaf:
        deaf.send(framed(message("A", "DEAF")) * 50)
        records.wait_for("send_timeout")
        with Peer.secure(server.address, trusting) as other:
            other.exchange("UNDISTURBED")


def test_peer_that_reads_late_gets_everything(
    serve_all: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_all(long_answer, tls=context, timeout=0)
    with Peer.secure(server.address, trusting) as peer:
        peer.send(framed(message("A", "DEAF")) * 15)
        records.wait_for("message_received")
        stopping = threading.Thread(target=server.shutdown)
        stopping.start()
        stopping.join(0.1)
        assert peer.receive_end().count(b"\x1c\r") == 15
    stopping.join(DEADLINE)
    assert not stopping.is_alive()


def test_handshakes_count_as_connections(
    serve_all: Serve, records: Records, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    server = serve_all(tls=context, max_connections=2, timeout=0)
    stalled = [Peer.connect(server.address) for _ in range(2)]
    for peer in stalled:
        peer.send(b"\x16\x03\x01")
        records.wait_for("connect")
    with Peer.connect(server.address) as refused:
        assert refused.receive_end() == b""
    records.wait_for("too_many_connections")
    for peer in stalled:
        peer.half_close()
        assert peer.receive_end() == b""
        records.wait_for("disconnect")
        peer.socket.close()
    while True:  # The thread of a closed connection may take a moment to be gone.
        with contextlib.suppress(OSError), Peer.secure(server.address, trusting) as peer:
            peer.exchange("A")
            break


def test_failed_handshakes_are_counted_by_reason(
    serve_all: Serve, records: Records, context: ssl.SSLContext
) -> None:
    server = serve_all(tls=context)
    for first in [b"GET / HTTP/1.1\r\n\r\n"] * 3 + [framed(message("A"))] * 2:
        with Peer.connect(server.address) as peer:
            peer.send(first)
            assert peer.receive_end() == b"\x15\x03\x03\x00\x02\x02\x0a"
    server.shutdown()
    written = [it for it in records.all() if it.levelno >= logging.WARNING]
    failed = [it.__dict__["fields"]["reason"] for it in written if it.event == "tls_failed"]  # type: ignore[attr-defined]
    assert failed == ["http", "plain_mllp"]
    repeated = [it.__dict__["fields"]["count"] for it in written if it.event == "repeated"]  # type: ignore[attr-defined]
    assert sorted(repeated) == [1, 2]


def test_context_for_the_other_end(trusting: ssl.SSLContext) -> None:
    with pytest.raises(ValueError, match="server"):
        Server(host="127.0.0.1", port=0, tls=trusting)

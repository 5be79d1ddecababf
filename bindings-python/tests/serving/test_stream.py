"""The bytes of a connection, over a socket that takes what it likes."""

import socket
import ssl

import pytest
from certificates import Authority
from fastmllp.serving.stream import Stream, TlsStream
from fastmllp.tls import client_context, server_context
from fastmllp.tls.session import TlsSession
from peers import framed, message


class Wire:
    """A socket whose room is up to the test."""

    def __init__(self) -> None:
        self.room: int | OSError = 1 << 30
        self.sent = b""
        self.arrived: list[bytes] = []

    def send(self, data: bytes) -> int:
        if isinstance(self.room, OSError):
            raise self.room
        taken = bytes(data[: self.room])
        if not taken:
            raise BlockingIOError
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def recv(self, size: int) -> bytes:
        if not self.arrived:
            raise BlockingIOError
        return self.arrived.pop(0)


class Ends:
    """A stream over a wire, and the other end of its TLS."""

    def __init__(self, authority: Authority) -> None:
        identity = authority.issue("localhost")
        context = server_context(identity.certificate, identity.key)
        self.wire = Wire()
        session = TlsSession(context, server_side=True)
        self.stream: Stream = TlsStream(self.wire, session)  # type: ignore[arg-type]
        trusting = client_context(ca=authority.file)
        self.client = TlsSession(trusting, server_hostname="localhost")

    def take(self) -> bytes:
        """What the stream has sent, at the other end."""
        sent, self.wire.sent = self.wire.sent, b""
        return self.client.receive(sent)

    def give(self) -> None:
        """What the other end has to say, to the wire."""
        self.wire.arrived.append(self.client.outgoing())

    def shake_hands(self) -> None:
        """All but the last bytes, which are the client's."""
        self.give()
        with pytest.raises(BlockingIOError):
            self.stream.receive()
        self.take()
        assert self.client.is_open and not self.stream.is_open


@pytest.fixture
def ends(authority: Authority) -> Ends:
    return Ends(authority)


@pytest.mark.parametrize("room", [0, 10, BrokenPipeError(), ConnectionResetError()])
def test_message_is_heard_though_nothing_can_be_said(ends: Ends, room: int | OSError) -> None:
    """The server's last word of the handshake cannot leave; the message behind it has come."""
    ends.shake_hands()
    ends.client.write(framed(message("A")))
    ends.give()
    ends.wire.room = room
    assert ends.stream.receive() == framed(message("A"))
    assert ends.stream.is_open and ends.stream.is_unsent
    with pytest.raises(OSError):
        ends.stream.send(b"answer")
    if not isinstance(room, int):
        return
    ends.wire.room = 1 << 30
    while not ends.stream.send(b"answer"):
        pass
    assert ends.take() == b"answer" and not ends.stream.is_unsent


def test_data_has_left_when_the_socket_has_it_all(ends: Ends) -> None:
    ends.shake_hands()
    ends.give()
    with pytest.raises(BlockingIOError):
        ends.stream.receive()
    data = bytes(range(256)) * 1000
    ends.wire.room = 1000
    assert ends.stream.send(data) == 0
    with pytest.raises(BlockingIOError):
        ends.stream.send(data)
    ends.wire.room = 1 << 30
    sent = received = 0
    parts = []
    for _ in range(100):
        taken = ends.stream.send(data[sent:])
        parts.append(ends.take())
        sent += taken
        received += len(parts[-1])
        # Not before; under TLS a part of a record is nothing to the other end.
        assert received >= sent
        if sent == len(data):
            break
    assert b"".join(parts) == data


def test_end_is_said_once_everything_else_is(ends: Ends) -> None:
    left, right = socket.socketpair()
    with left, right:
        stream = TlsStream(left, ends.stream._session)  # type: ignore[attr-defined]
        right.sendall(ends.client.outgoing())
        with pytest.raises(BlockingIOError):
            stream.receive()
        ends.client.receive(right.recv(65536))
        right.sendall(ends.client.outgoing())
        with pytest.raises(BlockingIOError):
            stream.receive()
        stream.send_all(b"answer")
        stream.end()
        received = b""
        while data := right.recv(65536):
            received += data
        assert ends.client.receive(received) == b"answer"
        assert ends.client.is_ended and ends.client.failure is None


def test_nothing_is_sent_after_a_failure(ends: Ends) -> None:
    ends.wire.arrived.append(b"GET / HTTP/1.1\r\n\r\n")
    assert ends.stream.receive() == b""
    assert ends.stream.is_ended and ends.stream.failure is not None
    with pytest.raises(ssl.SSLError):
        ends.stream.send_all(b"answer")

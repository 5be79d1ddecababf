"""The other end of a connection, written with bare sockets, so that tests do not trust the library.

Nothing here waits without a deadline, and nothing sleeps.
"""

import contextlib
import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest
from fastmllp import BackOff

DEADLINE = 10.0


def message(control_id: str = "MSG00001", name: str = "EVERYWOMAN^EVE") -> bytes:
    """A small admission."""
    return (
        f"MSH|^~\\&|SENDER|SFAC|RECEIVER|RFAC|20240131120000||ADT^A01|{control_id}|P|2.5\r"
        f"PID|1||4711||{name}\r"
    ).encode()


def told(event: Any) -> tuple[Any, ...]:
    """An event of the native module: the name of its class, and its fields."""
    return type(event).__name__, *(getattr(event, name) for name in event.__match_args__)


@contextlib.contextmanager
def no_descriptors_after(last: socket.socket) -> Iterator[None]:
    """Let this process, meanwhile, open nothing more than what was open with this socket."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def framed(payload: bytes) -> bytes:
    return b"\x0b" + payload + b"\x1c\r"


def acknowledgment(control_id: str, code: str = "AA") -> bytes:
    return (
        f"MSH|^~\\&|RECEIVER|RFAC|SENDER|SFAC|20240131120001||ACK|R{control_id}|P|2.5\r"
        f"MSA|{code}|{control_id}\r"
    ).encode()


def msa(payload: bytes) -> tuple[str, str]:
    """The acknowledgment code and the message control ID of an acknowledgment."""
    separator = payload[3:4]
    for segment in payload.split(b"\r"):
        if segment.startswith(b"MSA"):
            fields = segment.split(separator)
            return fields[1].decode(), fields[2].decode("latin-1")
    raise AssertionError("no MSA segment")


class Peer:
    """One end of a TCP connection."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    @classmethod
    def connect(cls, address: tuple[str, int]) -> "Peer":
        return cls(socket.create_connection(address, timeout=DEADLINE))

    @classmethod
    def secure(
        cls, address: tuple[str, int], context: ssl.SSLContext, name: str = "localhost"
    ) -> "Peer":
        """Inside of TLS. `receive_end` insists on TLS's own word for the end."""
        connected = socket.create_connection(address, timeout=DEADLINE)
        return cls(context.wrap_socket(connected, server_hostname=name, suppress_ragged_eofs=False))

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_frame(self) -> bytes:
        """The payload of the next frame; fails when the connection ends or the time is over."""
        while b"\x1c\r" not in self._received:
            data = self.socket.recv(65536)
            assert data, f"connection ended after {len(self._received)} bytes of a frame"
            self._received += data
        frame, self._received = self._received.split(b"\x1c\r", 1)
        assert frame.startswith(b"\x0b")
        return frame[1:]

    def receive_msa(self) -> tuple[str, str]:
        return msa(self.receive_frame())

    def exchange(self, control_id: str) -> None:
        """Send a message and insist on its acceptance."""
        self.send(framed(message(control_id)))
        assert self.receive_msa() == ("AA", control_id)

    def receive_end(self) -> bytes:
        """What comes before the other end closes in an orderly way; a reset is an error."""
        chunks, self._received = [self._received], b""
        while chunk := self.socket.recv(65536):
            chunks.append(chunk)
        return b"".join(chunks)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Vanish: the kernel sends RST."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()


class ScriptedServer:
    """A server whose every connection is a function: it gets a `Peer` and does as it likes."""

    def __init__(self, *scripts: Callable[[Peer], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self.address: tuple[str, int] = self._listener.getsockname()
        self.failures: queue.Queue[BaseException] = queue.Queue()
        self._thread = threading.Thread(target=self._run, args=(scripts,))
        self._thread.start()

    def __enter__(self) -> "ScriptedServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(2 * DEADLINE)
        self._listener.close()
        if kind is None:
            assert not self._thread.is_alive()
            assert self.failures.empty(), self.failures.get()

    def _run(self, scripts: tuple[Callable[[Peer], None], ...]) -> None:
        try:
            for script in scripts:
                with Peer(self._listener.accept()[0]) as peer:
                    script(peer)
        except BaseException as failure:
            self.failures.put(failure)


def silent(received: threading.Event) -> Callable[[Peer], None]:
    """A script that takes one message, and does not answer until the other end closes."""

    def script(peer: Peer) -> None:
        peer.receive_frame()
        received.set()
        peer.receive_end()

    return script


def answering(control_id: str) -> Callable[[Peer], None]:
    """A script that takes the message of that control ID and acknowledges it."""

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message(control_id)
        peer.send(framed(acknowledgment(control_id)))

    return script


class Noting(BackOff):
    """Waits that end at once, and for which attempt each of them was."""

    attempts: list[int]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "attempts", [])

    def delay(self, attempts: int) -> float:
        self.attempts.append(attempts)
        return 0.0


@contextlib.contextmanager
def not_before(seconds: float) -> Iterator[None]:
    """A block that must not end earlier.

    A clock proves this on any machine. No test asserts the opposite, that something ends in time:
    what does not end runs into a deadline.
    """
    began = time.monotonic()
    yield
    assert time.monotonic() - began >= seconds, "it ended too early"


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until something is so that no socket or event tells of."""
    deadline = time.monotonic() + DEADLINE
    looked = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        looked.wait(0.005)

"""The server behind the fixture: it records what comes, and answers as it is told."""

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from fastmllp._native import (
    Ack,
    Decoder,
    DecoderEvent,
    Deviation,
    Discard,
    Fault,
    Frame,
    Message,
    frame,
)
from fastmllp.serving.readiness import Readiness

__all__ = ["Answer", "Messages", "MockServer", "Script"]

Answer: TypeAlias = str | bytes | Ack
"""A code of HL7 table 0008, an `Ack`, or a whole acknowledgment."""

_READ_SIZE = 65_536
_Prepared: TypeAlias = bytes | Ack
# How long a stop may take; its threads have nothing to wait for by then.
_STOP_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)


class Messages(list[Message]):
    """The messages that have arrived at a server, on all its connections, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._arrived = threading.Condition()

    def append(self, message: Message) -> None:
        with self._arrived:
            super().append(message)
            self._arrived.notify_all()

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Message]:
        """Wait until so many have arrived.

        Args:
            count: Messages since the server was started, or since the list was cleared.
            timeout: Seconds.

        Returns:
            The first `count` messages.

        Raises:
            AssertionError: Fewer have come in that time.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self) >= count, timeout):
                raise AssertionError(f"{len(self)} of {count} messages came within {timeout:g} s")
            return self[:count]


@dataclass(frozen=True, slots=True)
class _Reply:
    """What one message gets: answers, how they are sent, and whether the connection ends then."""

    answers: tuple[_Prepared, ...] = ()
    foreign: Ack | None = None
    delay: float = 0.0
    split: int | None = None
    cut: int | None = None
    reset: bool = False

    def encode(self, payload: bytes) -> bytes:
        """All bytes to send, with their framing."""
        answers = [a.encode(payload) if isinstance(a, Ack) else a for a in self.answers]
        if self.foreign is not None:
            # Each acknowledgment has a message control ID of its own, so one that answers an
            # acknowledgment answers no message of the sender.
            answers.insert(0, self.foreign.encode(self.foreign.encode(payload)))
        return b"".join(map(frame, answers))[: self.cut]


class Script:
    """Says what the next messages get. Each call is for one message."""

    def __init__(self, add: Callable[[_Reply], None]) -> None:
        self._add = add

    def reply(self, answer: Answer = "AA") -> None:
        """Answer.

        Args:
            answer: A code of HL7 table 0008, an `Ack`, or a whole acknowledgment: bytes, or a text
                that begins with MSH.

        Raises:
            AckError: There is no such code.
            FrameError: The acknowledgment holds a start block or an end block.
        """
        self._add(_Reply((_prepared(answer),)))

    def silence(self) -> None:
        """Do not answer; the connection stays open."""
        self._add(_Reply())

    def delay(self, seconds: float, answer: Answer = "AA") -> None:
        """Answer later. The messages behind it on the same connection wait as well."""
        self._add(_Reply((_prepared(answer),), delay=seconds))

    def cut(self, after: int = 0, answer: Answer = "AA", *, reset: bool = False) -> None:
        """Close the connection in the middle of the answer, or before it.

        Args:
            after: So many bytes of the answer are sent first, the start block being one of them.
            answer: As for `reply`.
            reset: Vanish like a machine that lost power, in place of an orderly end.
        """
        self._add(_Reply((_prepared(answer),), cut=after, reset=reset))

    def foreign(self, code: str = "AA", *, then: Answer | None = None) -> None:
        """Acknowledge a message that the sender has not sent.

        Args:
            code: Code of that acknowledgment.
            then: What the message itself is answered with; nothing if not given.
        """
        own = () if then is None else (_prepared(then),)
        self._add(_Reply(own, foreign=Ack(code)))

    def twice(self, answer: Answer = "AA") -> None:
        """Answer, and answer again."""
        self._add(_Reply((_prepared(answer),) * 2))

    def split(self, size: int, answer: Answer = "AA") -> None:
        """Answer in pieces, each sent for itself.

        Args:
            size: Bytes of a piece.
            answer: As for `reply`.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self._add(_Reply((_prepared(answer),), split=size))


class MockServer(Script):
    """Listens on a free port of the loopback interface until it is closed.

    What it is told goes to the messages in the order of their arrival, on whatever connection they
    come; without anything left it answers AA. Of each connection a thread of its own takes care.

    Attributes:
        address: Host and port.
        always: A `Script` too. Its last call is for all messages for which nothing else was said.
        messages: Every message that came; one is there before it is answered.
        deviations: Names of what senders did against the rules of framing, such as ``missing_cr``.
            What is wrong behind a frame shows with the next byte or the end of the connection.
        connections: How many were accepted.

    Example:
        >>> from fastmllp import Client
        >>> with MockServer() as server, Client(*server.address) as client:
        ...     server.reply("AE")
        ...     for _ in range(2):
        ...         print(client.send(b"MSH|^~\\\\&|||||||ADT^A01|M1|P|2.5").code)
        ...     server.always.reply("AR")
        ...     print(client.send(b"MSH|^~\\\\&|||||||ADT^A08|M2|P|2.5").code)
        ...     print([message.get("MSH-9.2") for message in server.messages])
        AE
        AA
        AR
        [b'A01', b'A01', b'A08']
    """

    def __init__(self) -> None:
        """Listen."""
        super().__init__(self._queue)
        self.always = Script(self._set_default)
        self.messages = Messages()
        self.deviations: list[str] = []
        self.connections = 0
        self._default = _Reply((Ack("AA"),))
        self._replies: deque[_Reply] = deque()
        self._lock = threading.Lock()
        self._failures: list[BaseException] = []
        self._stopping = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="mllp-mock", daemon=True)
        self._thread.start()

    def __enter__(self) -> "MockServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def next(self, count: int) -> Script:
        """Say the same for several messages: ``server.next(3).silence()``."""

        def queue(reply: _Reply) -> None:
            for _ in range(count):
                self._queue(reply)

        return Script(queue)

    def close(self) -> None:
        """Close the port and all connections at once. May be called more than once.

        Raises:
            AssertionError: It has not stopped.
            MessageError: An `Ack` could not be made for a message; or what else kept the server
                from answering as it was told.
        """
        if not self._stopping.is_set():
            self._stopping.set()
            self._wake_sender.send(b"\0")
        deadline = time.monotonic() + _STOP_SECONDS
        self._thread.join(_STOP_SECONDS)
        with self._lock:
            conversations = list(self._open.items())
        for _, connection in conversations:
            with contextlib.suppress(OSError):  # The peer has left.
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in conversations:
            thread.join(max(0.0, deadline - time.monotonic()))
        threads = [self._thread, *(thread for thread, _ in conversations)]
        assert not any(thread.is_alive() for thread in threads), "the server did not stop"
        self._wake_receiver.close()
        self._wake_sender.close()
        if self._failures:
            raise self._failures.pop()

    def _queue(self, reply: _Reply) -> None:
        with self._lock:
            self._replies.append(reply)

    def _set_default(self, reply: _Reply) -> None:
        with self._lock:
            self._default = reply

    def _accept(self) -> None:
        readiness = Readiness(self._listener, self._wake_receiver)
        with self._listener:
            while not readiness.stopping:
                if not readiness.wait(None):
                    continue
                with contextlib.suppress(OSError):  # It was given up before it was accepted.
                    self._start(self._listener.accept()[0])

    def _start(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(
            target=self._run, args=(connection,), name="mllp-mock-connection", daemon=True
        )
        with self._lock:
            self.connections += 1
            self._open[thread] = connection
        thread.start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._converse(connection)
        except OSError:
            pass  # The peer has reset the connection, or the server is being closed.
        except BaseException as failure:
            self._failures.append(failure)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def _converse(self, connection: socket.socket) -> None:
        decoder = Decoder(max_payload_len=None)
        while data := connection.recv(_READ_SIZE):
            for event in decoder.events(data):
                if not isinstance(event, Frame):
                    self._note(event)
                elif not self._answer(connection, event.payload, event.deviations):
                    return
        for event in decoder.finish_events():
            self._note(event)

    def _note(self, event: DecoderEvent) -> None:
        match event:
            case Deviation(code=code) | Fault(code=code):
                self.deviations.append(code)
            case Discard(why="outside", is_blank=False):
                self.deviations.append("discarded")

    def _answer(
        self, connection: socket.socket, payload: bytes, deviations: tuple[str, ...]
    ) -> bool:
        """Treat a message as configured; False when the connection must be closed."""
        with self._lock:
            self.deviations += deviations
            self.messages.append(Message(payload))
            reply = self._replies.popleft() if self._replies else self._default
        if self._stopping.wait(reply.delay):
            return False
        data = reply.encode(payload)
        size = reply.split or max(1, len(data))
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
        if reply.cut is None:
            return True
        if reply.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            _read_what_is_there(connection)
        return False


def _prepared(answer: Answer) -> _Prepared:
    """Find an answer that cannot be sent in the line that asks for it, not in the server."""
    if isinstance(answer, Ack):
        return answer
    payload = answer.encode() if isinstance(answer, str) else bytes(answer)
    if isinstance(answer, str) and not answer.startswith("MSH"):
        return Ack(answer)
    frame(payload)
    return payload


def _read_what_is_there(connection: socket.socket) -> None:
    """Empty the socket: with unread input its end would be a reset."""
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while connection.recv(_READ_SIZE):
            pass

"""The sending side: one message at a time, and the reply that belongs to it."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Unpack

from fastmllp._native import Fault, FrameError, InitiatorEvent, Reconnect, Verdict
from fastmllp.client import failure
from fastmllp.client.dial import dial
from fastmllp.client.exchange import Exchange
from fastmllp.client.options import ClientKeywords, ClientOptions
from fastmllp.client.reply import ConnectError, ConnectionLost, LinkError, Reply
from fastmllp.client.settings import ClientSettings, Payload
from fastmllp.client.unasked import GRACE_SECONDS, Unasked
from fastmllp.serving.sockets.linger import linger
from fastmllp.serving.stream import Stream

_STALE_READS = 16


class Client:
    """A connection to a server, opened on entry or by the first `send`, and again when needed.

    A reply belongs to a message when its MSA-2 equals the message's MSH-10; blanks at the end do
    not count. A message without MSH-10, or without MSH, takes the first reply. Replies for other
    messages are logged and left out. After a failed `send` the connection is closed, because a
    reply that comes late must not be credited to the next message; the next `send` opens a new one.

    What is waited for, the message says in MSH-15 and MSH-16. One that asks for nothing has
    succeeded when it has been written. One that asks for an application acknowledgment may get CA
    first: the server has stored it, and `Reply.stored` says so if nothing better comes.

    Nothing is ever sent twice. When the server has closed the connection while it was idle, `send`
    notices that before it writes and opens a new one, which is safe since no byte of the message
    has left. Once a byte was written, nobody can tell from here whether the message arrived, so a
    loss is raised and the caller decides about sending again.

    A server that cannot be reached is an error at once. The attempt after that waits: a caller who
    sends again and again does not connect any faster than `back_off` says.

    Threads may share a client; their messages go one after the other.

    Attributes:
        unasked: How many messages that asked for no answer are `uncertain`, and `refused`.

    Example:
        >>> with Client("127.0.0.1", 2575) as client:
        ...     reply = client.send(payload)
        ...     reply.accepted
        True
    """

    @ClientOptions.shown(ClientKeywords)
    def __init__(
        self,
        host: str = ClientOptions.host,
        port: int = ClientOptions.port,
        **options: Unpack[ClientKeywords],
    ) -> None:
        """Keep the settings; does not connect.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            options: See `fastmllp.client.ClientOptions`, which says what each is for.

        Raises:
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type.
        """
        self._settings = ClientSettings.of(ClientKeywords, options, host=host, port=port)
        self._stream: Stream | None = None
        self.unasked = Unasked(self._settings.server, self._settings.scan)
        self._exchange = Exchange(self._settings, self.unasked)
        # Why the last connection ended; empty while the only reason is time.
        self._why = ""
        self._lock = threading.Lock()
        # Set by `close` for the thread that waits without a connection.
        self._closing = threading.Event()

    def __enter__(self) -> "Client":
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*(() if error is None else (ConnectionLost,))):
            self.close()

    def connect(self) -> None:
        """Open the connection if there is none.

        Raises:
            ConnectError: The server cannot be reached, or TLS does not come about.
        """
        with self._lock:
            self._closing.clear()
            self._connect()

    def close(self) -> None:
        """Close the connection if there is one. The client stays usable.

        A `send` of another thread that waits for its reply ends with `ConnectionLost`, one that
        waits before it connects with `ConnectError`. After messages that nothing answers, this
        waits until the server has read them and has closed its end, but ten seconds at most.

        Raises:
            ConnectionLost: The server may not have read all messages that asked for no answer;
                `unasked.uncertain` tells how many. Not raised by ``with`` over another exception.
        """
        self._closing.set()
        if self._lock.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._lock.release()
            self.unasked.conclude()
        elif (stream := self._stream) is not None:
            # The thread that uses the connection closes it, when it finds it at its end.
            with contextlib.suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)

    def send(self, message: Payload) -> Reply:
        """Send one message and wait for its reply.

        Args:
            message: The payload. Bytes go as they are; a ``str`` is encoded first, with ``?`` for
                what the encoding cannot express. Segments must end with a carriage return.

        Returns:
            The reply, positive or negative. For a message that asks for no answer when it is
            accepted, the silence: `Reply.unasked`.

        Raises:
            FrameError: The payload holds a start block or an end block; nothing was sent.
            EncodingError: `strict`, and the encoding cannot express the text or is not that of
                MSH-18; nothing was sent.
            LinkError: MSH-10 is longer than 256 bytes; nothing was sent.
            ConnectError: The server cannot be reached; no byte of the message has left.
            NoReply: Not taken or not answered in time; the message may have arrived.
            ConnectionLost: The connection ended before the reply; the message may have arrived.
            ReplyTooLarge: The reply is above `max_size`; the message has arrived.
        """
        payload = self._settings.encoded(message)
        with self._lock:
            self._closing.clear()
            try:
                return self._send(payload)
            except (FrameError, LinkError):
                raise  # Nothing has left, and no reply will come.
            except BaseException:
                # KeyboardInterrupt too: a reply may come that no caller waits for any more.
                self._drop()
                raise

    def _send(self, payload: bytes) -> Reply:
        # What came since the last reply is read before anything of the next message is sent.
        if not self._is_undisturbed():
            self._drop()
        exchange = self._exchange
        exchange.begin(payload)
        link = exchange.link
        handle = link.submit(payload, time.monotonic())
        exchange.stored.clear()
        while True:
            if link.wants_connection(time.monotonic()):
                self._connect_for_message()
            message = link.next_to_send(time.monotonic())
            if message is not None:
                self._write(*message)
            for event in link.events(time.monotonic()) or self._wait():
                if isinstance(event, Verdict):
                    return self._conclude(event)
                self._on_event(event, waits=True)
            stored = exchange.stored.get(handle)
            if stored is not None and exchange.is_enough(connected=self._stream is not None):
                link.withdraw(handle)
                return exchange.reply(stored)

    def _connect(self) -> None:
        if self._stream is not None:
            return
        settings, attempts = self._settings, self._settings.attempts
        if (wait := attempts.remaining()) and self._closing.wait(wait):
            raise failure.not_sent(settings.server, "the client was closed")
        try:
            self._stream, early = dial(*settings.destination)
        except ConnectError:
            attempts.failed()
            raise
        self._exchange.dialed()
        self._exchange.opened()
        self._why = ""
        self._take(early)

    def _connect_for_message(self) -> None:
        self._connect()
        # A server that refuses us, our certificate for instance, may have done so already: what it
        # says before the first byte of the message has left proves that it has nothing of it.
        if not self._is_undisturbed():
            if self._stream is None or self._stream.failure is None:
                self._settings.attempts.failed()
            raise failure.not_sent(self._settings.server, self._why)

    def _is_undisturbed(self) -> bool:
        """Whether the connection, if there is one, is as the next message needs it."""
        for _ in range(_STALE_READS):
            if self._stream is None:
                return True
            self._stream.socket.setblocking(False)
            try:
                data = self._stream.receive()
            except BlockingIOError:
                return True
            except OSError as error:
                self._note_end(error)
                return False
            if not data:
                self._note_end(None)
                return False
            self._take(data)
        self._why = "it does not stop sending"
        return False

    def _drop(self) -> None:
        self._hang_up()
        self._exchange.renew()

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        self._exchange.left()
        stream.socket.setblocking(False)
        with contextlib.suppress(OSError):
            if self.unasked.waiting:
                why = linger(stream, self._take, GRACE_SECONDS, self._settings.linger)
                self.unasked.ended((why + self._exchange.hint).removeprefix("; "))
            else:
                stream.end()
        stream.socket.close()

    def _lose(self, error: OSError | None) -> None:
        self._note_end(error)
        self._hang_up()
        self._exchange.link.disconnected(time.monotonic())

    def _note_end(self, error: OSError | None) -> None:
        refusal = self._stream.failure if self._stream is not None else None
        self._why = self._exchange.ended(error, refusal)
        self.unasked.ended(self._why)

    def _write(self, handle: int, framed: bytes) -> None:
        assert self._stream is not None
        self._stream.socket.settimeout(self._remaining())
        try:
            self._stream.send_all(framed)
        except (TimeoutError, BlockingIOError):
            self._exchange.link.on_time(time.monotonic())
        except OSError as error:
            # A server that refuses to go on has perhaps said why before it closed.
            self._stream.socket.setblocking(False)
            with contextlib.suppress(OSError):
                self._exchange.note(self._stream.receive())
            self._lose(error)
        else:
            self._exchange.link.sent(handle, time.monotonic())

    def _wait(self) -> list[InitiatorEvent]:
        """Wait for bytes of the server or the end of a time, and return what they show."""
        if self._stream is not None:
            return self._read(self._stream)
        if (remaining := self._remaining()) is None or self._closing.wait(remaining):
            raise failure.closed()
        self._exchange.link.on_time(time.monotonic())
        return self._exchange.link.events(time.monotonic())

    def _read(self, stream: Stream) -> list[InitiatorEvent]:
        stream.socket.settimeout(self._remaining())
        link = self._exchange.link
        events: list[InitiatorEvent] = []
        try:
            data = stream.receive()
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:
            self._lose(error)
        else:
            self._exchange.note(data)
            events = link.receive(data, time.monotonic())
            if stream.is_ended:
                self._lose(None)
        # A server that drips bytes is always ready, so the time is looked at after each read.
        link.on_time(time.monotonic())
        return events + link.events(time.monotonic())

    def _take(self, data: bytes) -> None:
        self._exchange.note(data)
        for event in self._exchange.link.receive(data, time.monotonic()):
            self._on_event(event, waits=False)

    def _remaining(self) -> float | None:
        """Seconds until the next time of the link runs out; None when there is none."""
        deadline = self._exchange.link.next_deadline()
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _on_event(self, event: InitiatorEvent, *, waits: bool) -> None:
        match event:
            case Reconnect():
                self._hang_up()
            case Fault(code="too_large") if waits:
                raise failure.too_large(self._settings.server, self._settings.max_size)
            case _:
                self._exchange.happened(event, waits=waits)

    def _conclude(self, verdict: Verdict) -> Reply:
        exchange, reply = self._exchange, verdict.payload
        if verdict.fate == "stored":
            reply = exchange.stored.get(verdict.handle)
        if reply is not None:
            return exchange.reply(reply)
        server = self._settings.server
        if verdict.fate == "unasked":
            answered = self.unasked.answered
            # A server that refuses us has perhaps said so by now.
            if not self._is_undisturbed() or exchange.hint:
                raise failure.lost(server, (self._why or exchange.hint).removeprefix("; "))
            if self._stream is not None:
                self.unasked.waiting += answered == self.unasked.answered
                return Reply.of_silence()
        if self._why:
            raise failure.lost(server, self._why)
        raise failure.no_reply(server, self._settings.timeout, exchange.hint)

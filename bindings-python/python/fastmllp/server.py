"""The listener: accepts connections, serves each in a thread of its own, and stops gracefully."""

import contextlib
import errno
import inspect
import itertools
import logging
import operator
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType

from fastmllp import config
from fastmllp.allow import AllowList
from fastmllp.connection import Connection, ConnectionLimits
from fastmllp.handler import Answerer, Handler
from fastmllp.logging import describe_exception, log_event
from fastmllp.readiness import Readiness, pause
from fastmllp.sockets.listening import BACKLOG, listen
from fastmllp.sockets.options import set_options
from fastmllp.stream import Stream, TlsStream
from fastmllp.tls_session import TlsSession

__all__ = ["Handler", "Server"]

# Out of descriptors or memory: accept cannot succeed until some connection has ended. The waiting
# connection keeps the listener readable, so without a pause the loop would spin.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE_SECONDS = 0.2
# Python runs a signal handler between two of its own steps. A signal that comes after the last step
# and before the wait has begun does not end that wait, so no wait of the listener is a long one.
_LISTEN_SECONDS = 0.5


class Server:
    """Receives messages and acknowledges each complete frame, in the order of arrival.

    The socket listens when the constructor returns. The handler runs in the thread of its
    connection, so handlers of different connections run at the same time. An acknowledgment leaves
    only after the handler returned: a handler that stores the message first acknowledges only what
    is stored. What the handler returns decides the answer:

    * ``None``: AA.
    * a code of HL7 table 0008, such as ``"AE"`` or ``AckCode.AR``: that code.
    * an `Ack`: that acknowledgment, with its text and errors.
    * ``bytes``, or a ``str`` that begins with ``MSH``: a whole acknowledgment, sent as it is.
    * an exception of any kind, or anything else: AE, with a log record that holds no payload.

    The handler is called for every complete frame, an empty one or one without MSH included. A
    frame above the limit is not complete: it never reaches the handler, and nothing accepts it.

    Example:
        >>> def store(message):
        ...     archive.append(message.payload)
        >>> with Server(store, port=0) as server:
        ...     server.serve_forever()
    """

    def __init__(
        self,
        handler: Handler | None = None,
        host: str = "0.0.0.0",
        port: int = config.DEFAULT_PORT,
        *,
        timeout: float = config.DEFAULT_TIMEOUT,
        frame_timeout: float = config.DEFAULT_FRAME_TIMEOUT,
        max_size: int = config.DEFAULT_MAX_SIZE,
        max_connections: int = config.DEFAULT_MAX_CONNECTIONS,
        encoding: str = "utf-8",
        profile: str = "permissive",
        scan: str = "single_byte",
        policy: str = "always",
        over_limit: str = "close",
        tls: ssl.SSLContext | None = None,
        allow: Iterable[str] = (),
        reuse_port: bool = False,
    ) -> None:
        """Bind and listen.

        Args:
            handler: Called with a `Message` for every complete frame; without one, AA to all.
                Messages that come with one read are answered together, once their handlers have
                returned or have taken a millisecond: one that blocks holds the answers of those
                just before it.
            host: Address or name to listen on. ``0.0.0.0`` is every IPv4 address of the machine;
                ``::`` is every IPv6 address and IPv6 only, on every system.
            port: TCP port; 0 takes a free one, see `address`.
            timeout: Seconds without a byte from the peer, between frames or in a frame, after which
                its connection is closed, and seconds the peer has to take an acknowledgment. Does
                not run while the handler works. 0 turns it off.
            frame_timeout: Seconds a frame may take from its first byte on. 0 turns it off.
            max_size: Largest payload, in bytes, framing bytes not counted.
            max_connections: Connections served at a time; further ones are closed at once.
            encoding: For an acknowledgment that the handler returns as ``str``.
            profile: Framing rules: ``permissive``, ``resync`` or ``strict``. ``resync`` waits a
                quarter of a second for the carriage return behind an end block; a frame without
                one is answered then, and its connection stays.
            scan: How delimiters are found, as for `Message`: ``shift_jis``, for instance, on a port
                whose messages have names in Shift_JIS.
            policy: Which answer a message gets: ``always``, an acknowledgment for everything, or
                ``conformant``, what chapter 2 of HL7 v2 says. See `fastmllp.conformant`.
            over_limit: What becomes of a message above `max_size`: ``close`` ends the connection,
                ``refuse`` reads it to its end, throws it away and answers AR.
            tls: A context of `fastmllp.tls.server_context`, or any other for a server; the port
                speaks TLS only. The handshake may take `timeout` seconds.
            allow: Networks that peers may connect from, such as ``10.1.0.0/16``; empty allows
                everybody. Another peer's connection is closed at once.
            reuse_port: Listen on a port that other processes with this option listen on as well.

        Raises:
            OSError: The address cannot be resolved or bound, for example because it is in use.
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type, such as a float for a size, or the handler is a
                coroutine function, which a thread cannot wait for.
        """
        if inspect.iscoroutinefunction(handler):
            raise TypeError("handler must be a plain function, not a coroutine function")
        max_connections = operator.index(max_connections)
        if max_connections < 1:
            raise ValueError(f"max_connections must be at least 1, not {max_connections}")
        self._limits = ConnectionLimits(
            timeout=config.seconds("timeout", timeout),
            frame_timeout=config.seconds("frame_timeout", frame_timeout),
            max_size=config.size("max_size", max_size),
            profile=profile,
            scan=scan,
            policy=policy,
            over_limit=over_limit,
        )
        # Just as for each connection: settings that it does not take are the caller's error, now.
        self._limits.new_link(0.0)
        if tls is not None:
            TlsSession(tls, server_side=True)
        self._tls = tls
        self._allow = AllowList(allow)
        self._max_connections = max_connections
        self._answerer = Answerer(handler, config.encoding("encoding", encoding), scan, policy)
        self._listener = listen(host, config.port("port", port), reuse_port=reuse_port)
        self._listener.setblocking(False)
        address = self._listener.getsockname()
        self.address: tuple[str, int] = (address[0], address[1])
        """Host and port that the server listens on; stays readable after it stopped."""
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_sender.setblocking(False)
        self._numbers = itertools.count(1)
        self._threads: set[threading.Thread] = set()
        self._threads_lock = threading.Lock()
        # The stop may be asked for in a signal handler, in the midst of any line of this thread. So
        # it takes only this lock, never one that the interrupted thread may hold for a moment.
        self._stopping = False
        self._serving = threading.Lock()
        self._inside = threading.local()
        self._exhausted = False

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()

    def serve_forever(self) -> None:
        """Accept and serve connections until `shutdown`, then end gracefully.

        Returns when every connection has answered what it had received and is closed. Returns at
        once when the server was shut down before. An exception in this thread, such as
        KeyboardInterrupt, ends the service in the same graceful way and is raised again.

        Raises:
            RuntimeError: The server is being served by another thread.
        """
        if self._stopping:
            return
        with self._marked_inside():
            if not self._serving.acquire(blocking=False):
                if self._stopping:
                    return
                raise RuntimeError("the server is already being served")
            try:
                # Looked at again: a shutdown that came before the lock may have closed everything.
                if not self._stopping:
                    self._accept_until_stopped()
            finally:
                try:
                    self._finish_connections()
                finally:
                    self._serving.release()

    def shutdown(self) -> None:
        """Stop: accept nothing new, answer every message that was received, close.

        May be called from any thread, from a signal handler, and more than once. Returns when the
        server has stopped. Called by the serving thread itself (a signal handler) or by a handler,
        for which it would wait for ever, it returns at once and the stop follows.
        """
        self._announce_stop()
        if getattr(self._inside, "marked", False):
            return
        with self._marked_inside(), self._serving:
            # Nothing is left to do here, unless the server has never been served.
            self._finish_connections()

    @contextlib.contextmanager
    def _marked_inside(self) -> Iterator[None]:
        """Mark this thread as one that `shutdown` waits for, and that so must not wait itself.

        Taken before the lock: a signal handler may run between any two steps of this thread.
        """
        before = getattr(self._inside, "marked", False)
        self._inside.marked = True
        try:
            yield
        finally:
            self._inside.marked = before

    def _accept_until_stopped(self) -> None:
        readiness = Readiness(self._listener, self._wake_receiver)
        # The flag covers a shutdown that came before this line, the wake socket all later ones.
        while not (self._stopping or readiness.stopping):
            if readiness.wait(_LISTEN_SECONDS):
                self._accept_waiting()

    def _accept_waiting(self) -> None:
        """Accept what waits in the backlog, without blocking."""
        for _ in range(BACKLOG):
            try:
                accepted, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._on_exhausted(error)
                    return
                # The peer gave up between connect and accept; its successor may be waiting.
                log_event(logging.INFO, "accept_failed", error=error.strerror)
                if self._stopping or self._listener.fileno() < 0:
                    return
                pause(self._wake_receiver, _PAUSE_SECONDS / 10)
                continue
            self._exhausted = False
            self._start(accepted, address[0], address[1])

    def _on_exhausted(self, error: OSError) -> None:
        if not self._exhausted:  # One record for the whole shortage.
            log_event(logging.ERROR, "accept_paused", error=error.strerror)
        self._exhausted = True
        pause(self._wake_receiver, _PAUSE_SECONDS)

    def _start(self, accepted: socket.socket, host: str, port: int) -> None:
        number, peer = next(self._numbers), f"{host}:{port}"
        if not self._allow.allows(host):
            log_event(logging.WARNING, "peer_not_allowed", number, peer=peer)
            accepted.close()
            return
        if len(self._threads) >= self._max_connections:
            log_event(logging.WARNING, "too_many_connections", number, peer=peer)
            accepted.close()
            return
        try:
            accepted.setblocking(False)
            set_options(accepted)
            connection = Connection(
                self._stream(accepted),
                number,
                peer,
                self._wake_receiver,
                self._answerer,
                self._limits,
            )
            # Daemon: a handler that never returns must not keep a process alive that gave up on it.
            thread = threading.Thread(
                target=self._run, args=(connection,), name=f"fastmllp-{number}", daemon=True
            )
            with self._threads_lock:
                self._threads.add(thread)
            try:
                thread.start()
            except Exception:
                with self._threads_lock:
                    self._threads.discard(thread)
                raise
        except Exception as error:  # Whatever it is, it ends one connection, not the listener.
            log_event(logging.ERROR, "thread_failed", number, peer=peer, error=type(error).__name__)
            accepted.close()

    def _stream(self, accepted: socket.socket) -> Stream:
        if self._tls is None:
            return Stream(accepted)
        return TlsStream(accepted, TlsSession(self._tls, server_side=True))

    def _run(self, connection: Connection) -> None:
        self._inside.marked = True
        try:
            connection.run()
        except BaseException as error:
            # Perhaps a log handler of the program that raises. Nothing may reach the thread's hook,
            # which prints the text of the exception.
            with contextlib.suppress(BaseException):
                trace = describe_exception(error)
                log_event(logging.ERROR, "connection_failed", connection.number, trace=trace)
        finally:
            with self._threads_lock:
                self._threads.discard(threading.current_thread())

    def _announce_stop(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):  # Closed: it has stopped. Full: it was told already.
            self._wake_sender.send(b"\0")

    def _finish_connections(self) -> None:
        self._announce_stop()
        if self._listener.fileno() >= 0:
            # A peer in the backlog has a connection, and perhaps has sent its message already.
            self._accept_waiting()
            self._listener.close()
        with self._threads_lock:
            # One without an identity was never started, because an interrupt came in between.
            threads = [thread for thread in self._threads if thread.ident is not None]
        for thread in threads:
            thread.join()
        self._wake_receiver.close()
        self._wake_sender.close()

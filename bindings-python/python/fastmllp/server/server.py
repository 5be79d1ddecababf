"""The listener: accepts connections, serves each in a thread of its own, and stops gracefully."""

import contextlib
import functools
import inspect
import itertools
import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Unpack

from fastmllp.logging import describe_exception
from fastmllp.server.connection import Connection
from fastmllp.serving.conversation import Terms
from fastmllp.serving.handler import Handler, server_name
from fastmllp.serving.options import ServerKeywords, ServerOptions
from fastmllp.serving.readiness import Readiness, pause
from fastmllp.serving.sockets.accepting import Accepted, Acceptor
from fastmllp.serving.sockets.introduction import Introduction
from fastmllp.serving.sockets.listening import listen
from fastmllp.serving.stream import Stream, TlsStream
from fastmllp.tls.session import TlsSession, reloaded

__all__ = ["Handler", "Server"]

# Python runs a signal handler between two of its own steps. A signal that comes after the last step
# and before the wait has begun does not end that wait, so no wait of the listener is a long one.
_LISTEN_SECONDS = 0.5
_JOIN_SECONDS = 0.1
# What is left of the time for a graceful stop when a second signal comes.
_HASTY_SECONDS = 1.0
# How long connections whose peers were taken away may need to notice.
_ABORT_SECONDS = 1.0


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
      AE if it has no code of table 0008, or answers another message.
    * an exception of any kind, or anything else: AE, with a log record that holds no payload.

    The handler is called for every complete frame, an empty one or one without MSH included. A
    frame above the limit is not complete: it never reaches the handler, and nothing accepts it.

    Example:
        >>> def store(message):
        ...     archive.append(message.payload)
        >>> with Server(store, port=0) as server:
        ...     server.serve_forever()
    """

    @ServerOptions.shown(ServerKeywords)
    def __init__(
        self,
        handler: Handler | None = None,
        host: str = ServerOptions.host,
        port: int = ServerOptions.port,
        **options: Unpack[ServerKeywords],
    ) -> None:
        """Bind and listen.

        Args:
            handler: Called with a `Message` for every complete frame; without one, AA to all.
                Messages that come with one read are answered together, once their handlers have
                returned or have taken a millisecond: one that blocks holds the answers of those
                just before it.
            host: Address or name to listen on.
            port: TCP port; 0 takes a free one, see `address`.
            options: See `fastmllp.server.ServerOptions`, which says what each is for.

        Raises:
            OSError: The address cannot be resolved or bound, for example because it is in use.
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type, such as a float for a size, or the handler is a
                coroutine function, which a thread cannot wait for.
        """
        if inspect.iscoroutinefunction(handler):
            raise TypeError("handler must be a plain function, not a coroutine function")
        self._options = ServerOptions.of(ServerKeywords, options, host=host, port=port)
        self._gate = self._options.new_gate()
        self._tls = self._options.tls
        if self._tls is not None:
            TlsSession(self._tls, server_side=True)  # One for the other end is an error, now.
        answerer = self._options.new_answerer(handler, self._gate.log)
        self._terms = Terms(answerer, self._options)
        reuse_port = self._options.reuse_port
        self._listener = listen(host, self._options.port, reuse_port=reuse_port)
        self._listener.setblocking(False)
        address = self._listener.getsockname()
        self.address: tuple[str, int] = (address[0], address[1])
        """Host and port that the server listens on; stays readable after it stopped."""
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_sender.setblocking(False)
        self._acceptor = Acceptor(
            self._gate,
            functools.partial(next, itertools.count(1)),
            proxied=self._options.is_proxied,
        )
        self._threads: dict[threading.Thread, Connection] = {}
        self._threads_lock = threading.Lock()
        # The stop may be asked for in a signal handler, in the midst of any line of this thread. So
        # it takes only this lock, never one that the interrupted thread may hold for a moment.
        self._stopping = False
        self._serving = threading.Lock()
        self._inside = threading.local()
        self._hurries = False
        self._finished = False

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

        Connections that have not ended after `stop_timeout` seconds, because a handler hangs for
        example, are aborted, and what they had received is not answered. A second call by a signal
        handler leaves them one second.
        """
        inside = getattr(self._inside, "marked", False)
        # Handlers run in other threads, so this is the second signal.
        if inside and self._stopping and threading.current_thread() is threading.main_thread():
            self._hurries = True
        self._announce_stop()
        if inside:
            return
        with self._marked_inside(), self._serving:
            # Nothing is left to do here, unless the server has never been served.
            self._finish_connections()

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use other certificates from the next connection on; those that are open stay.

        May be called from any thread and from a signal handler.

        Args:
            context: As for the constructor.

        Raises:
            ValueError: The context is not one for a server, or the port does not speak TLS. The
                server goes on with the one that it has.
        """
        self._tls = reloaded(self._tls, context)

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
            self._gate.on_time()

    def _accept_waiting(self) -> None:
        """Accept what waits in the backlog, without blocking."""
        for accepted in self._acceptor.waiting(self._listener, lambda: len(self._threads)):
            self._start(accepted)
        if self._acceptor.pause:
            pause(self._wake_receiver, self._acceptor.pause)

    def _start(self, accepted: Accepted) -> None:
        try:
            connection = Connection(
                self._stream(accepted.socket),
                accepted,
                self._wake_receiver,
                self._terms,
                self._gate,
                Introduction(accepted, self._gate) if self._options.is_proxied else None,
            )
            # Daemon: a handler that never returns must not keep a process alive that gave up on it.
            name = f"fastmllp-{accepted.number}"
            thread = threading.Thread(target=self._run, args=(connection,), name=name, daemon=True)
            with self._threads_lock:
                self._threads[thread] = connection
            try:
                thread.start()
            except Exception:
                with self._threads_lock:
                    del self._threads[thread]
                raise
        except Exception as error:  # Whatever it is, it ends one connection, not the listener.
            fields = {"peer": accepted.peer, "error": type(error).__name__}
            self._gate.log.event(logging.ERROR, "thread_failed", accepted.number, **fields)
            accepted.socket.close()

    def _stream(self, accepted: socket.socket) -> Stream:
        if self._tls is None:
            return Stream(accepted)
        return TlsStream(accepted, TlsSession(self._tls, server_side=True))

    def _run(self, connection: Connection) -> None:
        self._inside.marked = True
        server_name.set(self._gate.log.name)
        try:
            connection.run()
        except BaseException as error:
            # Perhaps a log handler of the program that raises. Nothing may reach the thread's hook,
            # which prints the text of the exception.
            with contextlib.suppress(BaseException):
                trace, log = describe_exception(error), self._gate.log
                log.event(logging.ERROR, "connection_failed", connection.number, trace=trace)
        finally:
            with self._threads_lock:
                self._threads.pop(threading.current_thread(), None)
                if self._finished and not self._threads:
                    self._close_wake()  # The stop did not wait for this one.

    def _announce_stop(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):  # Closed: it has stopped. Full: it was told already.
            self._wake_sender.send(b"\0")

    def _finish_connections(self) -> None:
        self._announce_stop()
        if self._finished:
            return
        if self._listener.fileno() >= 0:
            # A peer in the backlog has a connection, and perhaps has sent its message already.
            self._accept_waiting()
            self._listener.close()
        with self._threads_lock:
            # One without an identity was never started, because an interrupt came in between.
            serving = {it: own for it, own in self._threads.items() if it.ident is not None}
        self._wait_for_end(serving)
        self._gate.finish()
        with self._threads_lock:
            self._finished = True
            if not any(thread.is_alive() for thread in self._threads):
                self._close_wake()

    def _close_wake(self) -> None:
        self._wake_receiver.close()
        self._wake_sender.close()

    def _wait_for_end(self, serving: dict[threading.Thread, Connection]) -> None:
        """Wait for the end of these threads; when their time is over, abort their connections."""
        began = time.monotonic()

        def remaining() -> float:
            limit = self._options.stop_timeout or math.inf
            if self._hurries:
                limit = min(limit, _HASTY_SECONDS)
            return began + limit - time.monotonic()

        late = _join(serving, remaining)
        if not late:
            return
        for thread in late:
            serving[thread].abort()
        deadline = time.monotonic() + _ABORT_SECONDS
        # Those that still do not end are in a handler, which nothing can interrupt.
        hanging = _join(late, lambda: deadline - time.monotonic())
        self._gate.stop_timed_out(len(late), len(hanging))


def _join(
    threads: Iterable[threading.Thread], remaining: Callable[[], float]
) -> list[threading.Thread]:
    """Wait for threads to end, and return those that have not when no time remains.

    In small steps, so that a signal handler can shorten the time.
    """
    for thread in threads:
        while thread.is_alive() and (left := remaining()) > 0:
            thread.join(min(left, _JOIN_SECONDS))
    return [thread for thread in threads if thread.is_alive()]

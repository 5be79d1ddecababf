"""One accepted connection: read, answer, keep the times, close without losing an answer."""

import contextlib
import socket
import time

from fastmllp.serving.conversation import Conversation, Terms
from fastmllp.serving.readiness import Readiness
from fastmllp.serving.report import ConnectionReport
from fastmllp.serving.sockets.accepting import Accepted
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.introduction import Introduction, Origin
from fastmllp.serving.stream import Stream
from fastmllp.tls.failure import TLS_CLOSED, TLS_TIMEOUT

_DRAIN_SIZE = 65_536
# After our side is shut down for writing, the peer gets this long, and we throw away this much, so
# that its acknowledgments arrive: closing with unread input makes the kernel send a reset, and a
# reset destroys what the peer has not read yet.
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 16 * 1_048_576


class Connection:
    """Serves one peer until it leaves, breaks a limit, or the server stops."""

    def __init__(
        self,
        stream: Stream,
        accepted: Accepted,
        wake: socket.socket,
        terms: Terms,
        gate: Gate,
        introduction: Introduction | None,
    ) -> None:
        self.number = accepted.number
        self._stream = stream
        self._origin = Origin(accepted.peer)
        self._introduction = introduction
        self._readiness = Readiness(stream.socket, wake)
        self._timeout = terms.options.timeout
        self._report = ConnectionReport(self.number, terms.options.max_size, gate)
        self._conversation = Conversation(terms, self._report, self)
        # Whether the last read has left nothing to do but to read on, until the deadline.
        self._calm = False

    def run(self) -> None:
        """Serve the peer, then close the socket."""
        try:
            if self._introduced():
                self._serve()
        finally:
            self._stream.socket.close()

    def _serve(self) -> None:
        """Serve the peer. Nothing that goes wrong leaves this method."""
        conversation = self._conversation
        try:
            self._report.connected(*self._origin)
            if self._negotiate():
                self._converse()
            # Who takes no answers needs no graceful close.
            if conversation.reason != "send_timeout":
                self._close_gracefully()
        except OSError as error:
            # After a failure of TLS nothing can be sent, as is already known.
            if self._stream.failure is None:
                conversation.break_off(error)
        except BaseException as error:
            # A defect of ours ends this connection, not the server. Nor does it leave this thread:
            # Python would print the text of the exception.
            conversation.break_down(error)
            self._close_gracefully()
        finally:
            self._stream.socket.close()
            conversation.leave()

    def abort(self) -> None:
        """Take the peer away: every wait for it ends at once. Called by another thread."""
        with contextlib.suppress(OSError):  # It has left.
            self._stream.socket.shutdown(socket.SHUT_RDWR)

    def _introduced(self) -> bool:
        """Read the header of the proxy, if there has to be one; tell whether to go on."""
        introduction = self._introduction
        if introduction is None:
            return True
        began, timeout = time.monotonic(), self._timeout
        while not introduction.is_done:
            remaining = began + timeout - time.monotonic() if timeout else None
            if remaining is not None and remaining <= 0:
                introduction.overdue()
                break
            stopping = self._readiness.stopping
            self._readiness.wait(0.0 if stopping else remaining)
            try:
                data = self._stream.socket.recv(introduction.wanted)
            except BlockingIOError:
                if stopping:
                    introduction.stop()
                continue
            except OSError:
                data = b""
            introduction.receive(data)
        if introduction.origin is None:
            return False
        self._origin, self._introduction = introduction.origin, None
        self._conversation.begin()
        return True

    def _negotiate(self) -> bool:
        """Wait for the TLS handshake, if there is one; tell whether messages can come."""
        stream = self._stream
        if stream.is_open:
            return True
        began, timeout = time.monotonic(), self._timeout
        data = b""
        while not stream.is_open:
            remaining = began + timeout - time.monotonic() if timeout else None
            if remaining is not None and remaining <= 0:
                self._conversation.insecure(TLS_TIMEOUT)
                return False
            stopping = self._readiness.stopping
            self._readiness.wait(0.0 if stopping else remaining, write=stream.is_unsent)
            try:
                data = stream.receive()
            except BlockingIOError:
                if self._readiness.stopping:
                    self._conversation.reason = "stopped"
                    return False
            if stream.is_ended and not stream.is_open:
                self._conversation.insecure(stream.failure or TLS_CLOSED)
                return False
        self._report.secured(stream.version)
        self._conversation.begin()
        self._take(data)
        return True

    def _converse(self) -> None:
        """Read and answer until there is a reason to close."""
        conversation = self._conversation
        while not (conversation.is_finished or conversation.is_foreign):
            self._wait()
            # Whatever ended the wait: what has come is read before a time is said to have run out.
            arrived = conversation.wants_input and self._read()
            while arrived and self._waits_calmly():
                arrived = self._read()
            if self._readiness.stopping and self._stops(arrived):
                return
            conversation.on_time()
            self._notice_loss()

    def _waits_calmly(self) -> bool:
        """Wait for the next message, where the last read has left nothing else to do.

        That is mostly so, and saves looking for what there could be. False: there was no wait.
        """
        if not self._calm or self._readiness.stopping:
            return False
        timeout = None
        if self._conversation.deadline is not None:
            timeout = self._conversation.deadline - time.monotonic()
            if timeout <= 0:
                return False
        self._readiness.wait(timeout)
        return True

    def _wait(self) -> None:
        """Wait for the peer, the server's stop, or the end of a time."""
        conversation = self._conversation
        both = (conversation.next_deadline(), conversation.stop_at)
        deadlines = [at for at in both if at is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        reads, writes = conversation.wants_input, conversation.is_unsent
        if self._readiness.stopping and reads:
            timeout = 0.0  # Only what is there already.
        self._readiness.wait(timeout, read=reads, write=writes)

    def _read(self) -> bool:
        """Take what has arrived; False when nothing has, or when nothing more will."""
        try:
            data = self._stream.receive()
        except BlockingIOError:
            return False
        self._take(data)
        return not self._stream.is_ended

    def _take(self, data: bytes) -> None:
        conversation, self._calm = self._conversation, False
        if self._stream.failure is not None:
            conversation.insecure(self._stream.failure)
        if data:
            self._calm = conversation.receive(data)
            self._notice_loss()
        if self._stream.is_ended:
            self._calm = False
            conversation.end()
            self._notice_loss()

    def _notice_loss(self) -> None:
        """The frames that were read before the connection broke have gone to the handler."""
        if self._conversation.loss is not None:
            raise self._conversation.loss

    def _stops(self, arrived: bool) -> bool:
        """The server stops. Whether to give up: the peer has not taken its answers in time."""
        conversation, now = self._conversation, time.monotonic()
        conversation.stop(quiet=conversation.wants_input and not arrived)
        self._notice_loss()
        if conversation.stop_at is None or now < conversation.stop_at or conversation.is_finished:
            return False
        conversation.give_up()
        return True

    # What the conversation asks for.

    def send(self, data: bytes) -> int:
        """Send what the peer takes."""
        return self._stream.send(data)

    def _close_gracefully(self) -> None:
        """Shut down writing, then read until the peer is done, a deadline, or enough bytes."""
        raw = self._stream.socket
        try:
            self._stream.end()
            deadline = time.monotonic() + _LINGER_SECONDS
            left = _LINGER_BYTES
            while left > 0 and (remaining := deadline - time.monotonic()) > 0:
                if not self._readiness.wait(remaining):
                    continue
                data = raw.recv(_DRAIN_SIZE)
                if not data:
                    return
                left -= len(data)
        except OSError:
            # The peer left first. All that it could be told has been sent.
            return

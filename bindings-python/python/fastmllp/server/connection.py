"""One accepted connection: read, answer, keep the times, close without losing an answer."""

import contextlib
import logging
import socket
import time

from fastmllp._native import Arrived, Raised, ResponderEvent, Returned, TooLarge
from fastmllp.logging import is_heard
from fastmllp.serving.handler import Answerer, Handler, connection_number
from fastmllp.serving.options import ServerOptions
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
# When the server stops: how long to go on reading what a peer keeps sending, and how long to wait
# for a peer to take its acknowledgments.
_STOP_SECONDS = 2.0


class Connection:
    """Serves one peer until it leaves, breaks a limit, or the server stops."""

    def __init__(
        self,
        stream: Stream,
        accepted: Accepted,
        wake: socket.socket,
        answerer: Answerer,
        limits: ServerOptions,
        gate: Gate,
        introduction: Introduction | None,
    ) -> None:
        self.number = accepted.number
        self._stream = stream
        self._origin = Origin(accepted.peer)
        self._introduction = introduction
        self._readiness = Readiness(stream.socket, wake)
        self._answerer = answerer
        self._limits = limits
        self._link = limits.new_link(time.monotonic())
        self._report = ConnectionReport(self.number, limits.max_size, gate)
        self._lost: OSError | None = None
        # Whether the last read has left nothing to do but to read on, until the deadline.
        self._calm = False
        self._deadline: float | None = None
        self._stop_at: float | None = None

    def run(self) -> None:
        """Serve the peer, then close the socket."""
        try:
            if self._introduced():
                self._serve()
        finally:
            self._stream.socket.close()

    def _serve(self) -> None:
        """Serve the peer. Nothing that goes wrong leaves this method."""
        report = self._report
        try:
            report.connected(*self._origin)
            if self._negotiate():
                self._converse()
            # Who takes no answers needs no graceful close.
            if report.reason != "send_timeout":
                self._close_gracefully()
        except OSError as error:
            # After a failure of TLS nothing can be sent, as is already known.
            if self._stream.failure is None:
                report.lost(error, self._link.pending)
        except BaseException as error:
            # A defect of ours ends this connection, not the server. Nor does it leave this thread:
            # Python would print the text of the exception.
            report.reason = "failed"
            report.failed(error)
            self._close_gracefully()
        finally:
            self._stream.socket.close()
            frames = self._link.counters["frames"]
            report.disconnected(0 if report.is_foreign else frames)

    def abort(self) -> None:
        """Take the peer away: every wait for it ends at once. Called by another thread."""
        with contextlib.suppress(OSError):  # It has left.
            self._stream.socket.shutdown(socket.SHUT_RDWR)

    def _introduced(self) -> bool:
        """Read the header of the proxy, if there has to be one; tell whether to go on."""
        introduction = self._introduction
        if introduction is None:
            return True
        began, timeout = time.monotonic(), self._limits.timeout
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
        # The time until the first message begins now.
        self._link = self._limits.new_link(time.monotonic())
        return True

    def _negotiate(self) -> bool:
        """Wait for the TLS handshake, if there is one; tell whether messages can come."""
        stream = self._stream
        if stream.is_open:
            return True
        began, timeout = time.monotonic(), self._limits.timeout
        data = b""
        while not stream.is_open:
            remaining = began + timeout - time.monotonic() if timeout else None
            if remaining is not None and remaining <= 0:
                self._report.insecure(TLS_TIMEOUT)
                return False
            stopping = self._readiness.stopping
            self._readiness.wait(0.0 if stopping else remaining, write=stream.is_unsent)
            try:
                data = stream.receive()
            except BlockingIOError:
                if self._readiness.stopping:
                    self._report.reason = "stopped"
                    return False
            if stream.is_ended and not stream.is_open:
                self._report.insecure(stream.failure or TLS_CLOSED)
                return False
        self._report.secured(stream.version)
        # The time until the first message begins now.
        self._link = self._limits.new_link(time.monotonic())
        self._take(data)
        return True

    def _converse(self) -> None:
        """Read and answer until there is a reason to close."""
        link = self._link
        while not (link.is_finished or self._report.is_foreign):
            self._wait()
            # Whatever ended the wait: what has come is read before a time is said to have run out.
            arrived = link.wants_input and self._read()
            while arrived and self._waits_calmly():
                arrived = self._read()
            if self._readiness.stopping and self._stops(arrived):
                return
            self._on_time()

    def _waits_calmly(self) -> bool:
        """Wait for the next message, where the last read has left nothing else to do.

        That is mostly so, and saves looking for what there could be. False: there was no wait.
        """
        if not self._calm or self._readiness.stopping:
            return False
        timeout = None
        if self._deadline is not None:
            timeout = self._deadline - time.monotonic()
            if timeout <= 0:
                return False
        self._readiness.wait(timeout)
        return True

    def _wait(self) -> None:
        """Wait for the peer, the server's stop, or the end of a time."""
        deadlines = [at for at in (self._link.next_deadline(), self._stop_at) if at is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        reads, writes = self._link.wants_input, self._link.unsent > 0
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
        self._calm = False
        if self._stream.failure is not None:
            self._report.insecure(self._stream.failure)
        if data and self._answerer.prompt is not None and not is_heard(logging.INFO):
            self._calm = self._converse_natively(data, self._answerer.prompt)
        elif data:
            self._take_events(self._link.receive(data, time.monotonic()), data)
        if self._stream.is_ended:
            self._calm = False
            self._link.peer_closed(time.monotonic())
            self._take_events(self._link.events(time.monotonic()))

    def _converse_natively(self, data: bytes, handler: Handler) -> bool:
        """Take bytes when no record of each message is wanted: mostly one native call for all.

        Returns:
            Whether every answer has left, and the host had nothing to do but to send them.
        """
        connection_number.set(self.number)
        link, first, calm, more = self._link, data, True, True
        while more:
            # Held back and sent from here: what the peer does not take stays in the link, which
            # knows how long it may take.
            _, _, events, self._deadline, more = link.converse(
                data, time.monotonic(), handler, hold=True
            )
            data = b""
            for event in events or ():
                calm = False
                self._on_event(event, first)
                if self._report.is_foreign:
                    return False
            if link.unsent:
                # Answers that leave make room for messages that were read already.
                more = more or not link.wants_input
                self._flush()
                if link.unsent:
                    # The peer takes no more for now: the rest is for when it does, or was too slow.
                    calm = False
                    break
                self._deadline = link.next_deadline()
        if self._lost is not None:
            raise self._lost
        return calm

    def _stops(self, arrived: bool) -> bool:
        """The server stops: answer every frame that is complete, leave the rest to the sender.

        Returns:
            Whether to give up: the peer has not taken its answers in time.
        """
        now = time.monotonic()
        if self._stop_at is None:
            self._stop_at = now + _STOP_SECONDS
        if now >= self._stop_at or (self._link.wants_input and not arrived):
            self._link.close(now)
            self._take_events(self._link.events(now))
        if now < self._stop_at or self._link.is_finished:
            return False
        self._report.overdue()
        self._report.reason = "send_timeout"
        return True

    def _on_time(self) -> None:
        """Look at the times, also after a read: a peer that drips bytes is always ready."""
        unfinished = self._link.pending
        self._link.on_time(time.monotonic())
        events = self._link.events(time.monotonic())
        self._report.expired(events, unfinished)
        self._take_events(events)

    def _take_events(self, events: list[ResponderEvent], data: bytes = b"") -> None:
        """Answer every message, report everything else, and send what the peer takes."""
        while True:
            for event in events:
                self._on_event(event, data)
                if self._report.is_foreign:
                    return
            self._flush()
            # What has left makes room for messages that were read already.
            events = self._link.events(time.monotonic())
            if not events:
                break
        if self._lost is not None:
            raise self._lost

    def _on_event(self, event: ResponderEvent, data: bytes) -> None:
        match event:
            case Arrived():
                self._on_message(event)
            case Returned(ticket, message, result):
                self._answerer.conclude(self._link, ticket, message.payload, result, self.number)
            case Raised(ticket=ticket, error=error):
                self._answerer.fail(self._link, ticket, error, self.number)
            case TooLarge():
                self._report.refused(self._answerer.refuse(self._link, event, self.number))
            case _:
                self._report.happened(event, data)

    def _on_message(self, arrived: Arrived) -> None:
        ticket, payload = arrived.ticket, arrived.payload
        self._report.received(ticket, payload, arrived.deviations)
        before = self._link.unsent
        code = self._answerer.answer(self._link, ticket, payload, self.number)
        self._report.answered(self._link, ticket, code, before)
        # An answer does not wait for the handler to finish the messages behind it. Without a
        # handler nothing takes time, and the answers to one read leave together.
        if self._answerer.handler is not None:
            self._flush()

    def _flush(self) -> None:
        """Send what the peer takes of the answers owed.

        A loss is kept for later: the frames that were read already still go to the handler, since
        a sender that does not wait for acknowledgments may have left after them.
        """
        while data := self._link.outgoing():
            sent = len(data)
            if self._lost is None:
                try:
                    sent = self._stream.send(data)
                except BlockingIOError:
                    break
                except OSError as error:
                    self._lost = error
            self._link.sent(sent, time.monotonic())
        if self._lost is not None:
            self._report.unsendable()
        self._report.sent(self._link)

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

"""One accepted connection: read, answer, keep the times, close without losing an answer."""

import logging
import math
import socket
import time
from dataclasses import dataclass
from typing import Any

from fastmllp.logging import describe_exception, log_event
from fastmllp.mllp import Decoder
from fastmllp.readiness import Readiness
from fastmllp.responder import Answer, Responder

_READ_SIZE = 65_536
# After our side is shut down for writing, the peer gets this long, and we throw away this much, so
# that its acknowledgments arrive: closing with unread input makes the kernel send a reset, and a
# reset destroys what the peer has not read yet.
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 16 * 1_048_576
# The profile resync waits this long for the trailer of a frame whose end block was the last byte:
# only what follows tells an end block from a payload byte. A sender that leaves the trailer out
# gets its answer that much later; an end block in a payload, before such a pause, ends the frame.
_TRAILER_SECONDS = 0.25
_TRAILER_MISSING = "trailer_missing"
# When the server stops: how long to go on reading what a peer keeps sending, and how long to wait
# for a peer to take its acknowledgments.
_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may use. Times in seconds, 0 for no limit; sizes in payload bytes."""

    timeout: float
    frame_timeout: float
    max_size: int
    profile: str


class _SendTimeout(OSError):
    """The peer left no room for its acknowledgments in time."""


class Connection:
    """Serves one peer until it leaves, breaks a limit, or the server stops."""

    def __init__(
        self,
        accepted: socket.socket,
        number: int,
        peer: str,
        wake: socket.socket,
        responder: Responder,
        limits: ConnectionLimits,
    ) -> None:
        self.number = number
        self._socket = accepted
        self._peer = peer
        self._readiness = Readiness(accepted, wake)
        self._responder = responder
        self._limits = limits
        self._decoder = Decoder(profile=limits.profile, max_payload_len=limits.max_size)
        self._owed: list[Answer] = []
        self._lost: OSError | None = None
        self._messages = 0
        self._last_read = time.monotonic()
        self._frame_began: float | None = None
        # A frame is open, and no pause since its last byte was taken for its end yet.
        self._awaits_trailer = False
        self._stop_at: float | None = None
        self._warned: set[str] = set()

    def run(self) -> None:
        """Serve the peer, then close the socket. Nothing that goes wrong leaves this method."""
        reason = "failed"
        try:
            log_event(logging.INFO, "connect", self.number, peer=self._peer)
            reason = self._converse()
            self._close_gracefully()
        except _SendTimeout:
            # The peer does not read: there is no use in a graceful close.
            reason = "send_timeout"
            log_event(logging.WARNING, "send_timeout", self.number)
        except OSError as error:
            reason = "connection_lost"
            pending = self._decoder.pending
            level = logging.WARNING if pending else logging.INFO
            text = error.strerror or type(error).__name__
            log_event(level, "connection_lost", self.number, error=text, unfinished=pending)
        except BaseException as error:
            # A defect of ours ends this connection, not the server. Nor does it leave this thread:
            # Python would print the text of the exception.
            trace = describe_exception(error)
            log_event(logging.ERROR, "connection_failed", self.number, trace=trace)
            self._close_gracefully()
        finally:
            self._socket.close()
            log_event(
                logging.INFO, "disconnect", self.number, reason=reason, messages=self._messages
            )

    def _converse(self) -> str:
        """Read and answer until there is a reason to close; the reason's name is the result."""
        while True:
            ready, ran_out = False, ""
            # A wait for room to write may have seen the stop already.
            if not self._readiness.stopping:
                ready, ran_out = self._wait_for_input()
            if self._readiness.stopping:
                self._read_what_has_arrived()
                return "stopped"
            if ran_out == _TRAILER_MISSING:
                if not self._settle_pause():
                    return "frame_too_large"
                continue
            if ran_out:
                log_event(logging.INFO, ran_out, self.number, unfinished=self._decoder.pending)
                self._finish()
                return ran_out
            if not ready:
                continue
            try:
                data = self._socket.recv(_READ_SIZE)
            except BlockingIOError:
                continue
            if not data:
                self._finish()
                return "end_of_stream"
            if not self._take(data):
                return "frame_too_large"

    def _wait_for_input(self) -> tuple[bool, str]:
        """Wait for bytes, the server's stop, or the end of a time, whose name is then returned."""
        between_frames = self._frame_began is None
        idle_until = frame_until = math.inf
        if self._limits.timeout:
            idle_until = self._last_read + self._limits.timeout
        if self._limits.frame_timeout and self._frame_began is not None:
            frame_until = self._frame_began + self._limits.frame_timeout
        until = min(idle_until, frame_until)
        trailer_until = self._last_read + _TRAILER_SECONDS
        if self._awaits_trailer and trailer_until < until:
            # At least one look, however late this thread comes: the trailer may be there already.
            ready = self._readiness.wait(max(0.0, trailer_until - time.monotonic()))
            paused = not (ready or self._readiness.stopping) and time.monotonic() >= trailer_until
            return ready, _TRAILER_MISSING if paused else ""
        if until == math.inf:
            return self._readiness.wait(None), ""
        remaining = until - time.monotonic()
        # A peer that drips bytes is always ready, so the time of the frame goes before readiness.
        if remaining > 0 and self._readiness.wait(remaining):
            return True, ""
        if self._readiness.stopping or time.monotonic() < until:
            return False, ""
        if frame_until <= idle_until:
            return False, "frame_timeout"
        return False, "idle_timeout" if between_frames else "byte_timeout"

    def _take(self, data: bytes) -> bool:
        """Answer every frame that these bytes complete.

        Returns:
            False when a frame is above the limit: what came before it is answered, nothing after.
        """
        frame_was_open = self._decoder.pending > 0
        fits = self._handle(self._decoder.events(data), frame_was_open)
        self._awaits_trailer = self._limits.profile == "resync" and self._decoder.pending > 0
        return fits

    def _settle_pause(self) -> bool:
        """Answer the frame that a pause behind its end block completes; in mid-payload, nothing.

        Asked once per pause. Whatever is still open then waits for the times of the connection.
        """
        self._awaits_trailer = False
        events = self._decoder.idle_events()
        return not events or self._handle(events, frame_was_open=True)

    def _handle(self, events: list[dict[str, Any]], frame_was_open: bool) -> bool:
        for event in events:
            if event["ev"] == "error" and event["code"] == "too_large":
                self._flush()
                limit = self._limits.max_size
                log_event(logging.WARNING, "frame_too_large", self.number, max_size=limit)
                self._raise_if_lost()
                return False
            if event["ev"] in ("frame", "error"):
                frame_was_open = False
            self._on_event(event)
        self._flush()
        self._raise_if_lost()
        # Both clocks start after the answers are sent: the time of the handler is not the peer's.
        self._last_read = time.monotonic()
        if self._decoder.pending == 0:
            self._frame_began = None
        elif not frame_was_open:
            self._frame_began = self._last_read
        return True

    def _finish(self) -> None:
        """Report a frame that stays unfinished; a profile may also settle an open end here."""
        for event in self._decoder.finish_events():
            self._on_event(event)
        self._flush()
        self._raise_if_lost()

    def _read_what_has_arrived(self) -> None:
        """The server stops: answer every frame that is complete, leave the rest to the sender."""
        self._note_stop()
        while self._stop_at is not None and time.monotonic() < self._stop_at:
            try:
                data = self._socket.recv(_READ_SIZE)
            except BlockingIOError:
                break
            if not data:
                break
            if not self._take(data):
                return
        self._finish()

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["ev"]
        if kind == "frame":
            payload: bytes = event["payload"]
            self._messages += 1
            log_event(logging.INFO, "message_received", self.number, length=len(payload))
            for code in event["warn"]:
                self._warn(code, length=len(payload))
            self._owed.append(self._responder.answer(payload, self.number))
            # An answer does not wait for the handler to finish the messages behind it. Without a
            # handler nothing takes time, and the answers to one read leave together.
            if self._responder.handler is not None:
                self._flush()
        elif kind == "discard" and event["blank"]:
            # Line ends and padding between frames are common and harmless.
            log_event(logging.DEBUG, "discarded", self.number, length=event["len"])
        elif kind == "discard":
            self._warn("discarded", length=event["len"], offset=event["offset"])
        else:
            self._warn(event["code"], offset=event["offset"])

    def _warn(self, event: str, **fields: Any) -> None:
        """Warn once per connection and kind: a peer with a habit must not fill the log."""
        level = logging.DEBUG if event in self._warned else logging.WARNING
        self._warned.add(event)
        log_event(level, event, self.number, **fields)

    def _flush(self) -> None:
        """Send the answers owed.

        A loss is kept for `_raise_if_lost`: the frames that were read already still go to the
        handler, since a sender that does not wait for acknowledgments may have left after them.
        """
        owed, self._owed = self._owed, []
        if not owed or self._lost is not None:
            return
        try:
            self._send(b"".join(answer.framed for answer in owed))
        except OSError as error:
            self._lost = error
            return
        for answer in owed:
            length = len(answer.framed)
            log_event(logging.INFO, "ack_sent", self.number, code=answer.code, length=length)

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            _SendTimeout: The peer did not make room in time.
            OSError: The connection is gone.
        """
        view = memoryview(data)
        until = time.monotonic() + self._limits.timeout if self._limits.timeout else math.inf
        while view:
            try:
                view = view[self._socket.send(view) :]
                continue
            except BlockingIOError:
                pass
            self._note_stop()
            if self._stop_at is not None:
                until = min(until, self._stop_at)
            remaining = until - time.monotonic()
            if remaining <= 0:
                raise _SendTimeout
            self._readiness.wait(None if remaining == math.inf else remaining, write=True)

    def _note_stop(self) -> None:
        if self._readiness.stopping and self._stop_at is None:
            self._stop_at = time.monotonic() + _STOP_SECONDS

    def _close_gracefully(self) -> None:
        """Shut down writing, then read until the peer is done, a deadline, or enough bytes."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _LINGER_SECONDS
            left = _LINGER_BYTES
            while left > 0 and (remaining := deadline - time.monotonic()) > 0:
                if not self._readiness.wait(remaining):
                    continue
                data = self._socket.recv(_READ_SIZE)
                if not data:
                    return
                left -= len(data)
        except OSError:
            # The peer left first. All that it could be told has been sent.
            return

"""Sending many messages: over several connections, several at a time, at a given rate."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TypeAlias

from fastmllp._native import MllpError
from fastmllp.cli.output import complain
from fastmllp.cli.signals import heed_interruption, ignore
from fastmllp.client import Client, ConnectionLost, DeliveryError, Reply
from fastmllp.client.options import ClientKeywords
from fastmllp.client.unasked import Unasked

MAX_WINDOW = 64
"""As many messages as a connection can match with their replies."""
_POLL_SECONDS = 0.2
_STOPPING = "waiting for the answers on their way, interrupt again to give up"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    number: int | None
    """Which message, from 0 on; None for a connection that could not be opened at all."""
    seconds: float
    """From the call that sends the message to its reply."""
    reply: Reply | None = None
    error: Exception | None = None
    unasked: Unasked | None = None
    """Of a client that has ended: what became of the messages that asked for no answer, and that
    were reported as accepted before."""

    @property
    def fate(self) -> str:
        """What is known of the message: ``answered``, ``stored``, ``unasked``, ``not_sent`` or
        ``uncertain``."""
        if self.reply is None:
            return self.error.fate if isinstance(self.error, DeliveryError) else "not_sent"
        if self.reply.stored:
            return "stored"
        return "unasked" if self.reply.unasked else "answered"


Place: TypeAlias = tuple[int, float]
"""A message and the time at which it may leave, by the monotonic clock."""


class Agenda:
    """Which message is next, and when. All connections share one."""

    def __init__(self, total: int | None, rate: float = 0.0, seconds: float | None = None) -> None:
        """Plan the work.

        Args:
            total: How many messages there are; None for no end.
            rate: At most so many messages in a second; 0 for no limit.
            seconds: Hand out messages for so long after the first one, which is handed out however
                late a connection is open; None for no end.
        """
        self.started = 0
        """How many messages were handed out to be sent."""
        self.began: float | None = None
        """When the first one was, by the monotonic clock."""
        self._total = total
        self._seconds = seconds
        self._interval = 1 / rate if rate else 0.0
        self._next = 0
        self._due = 0.0
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Hand out no more messages."""
        self._stopped = True

    def take(self) -> int | None:
        """Wait for the next message's time; None when there is none or the work was stopped."""
        place = self.reserve()
        while (seconds := self.remaining(place)) > 0:
            time.sleep(seconds)
        return self.begin(place)

    def reserve(self) -> Place | None:
        """The next message and its time; None when there is none or the work was stopped."""
        with self._lock:
            now = time.monotonic()
            if self._stopped or self._next == self._total or self._is_over(now):
                return None
            # A sender that was late does not catch up: the rate is a limit, not a mean.
            due = max(self._due, now)
            self._due = due + self._interval
            self._next += 1
            return self._next - 1, due

    def remaining(self, place: Place | None) -> float:
        """Seconds to wait before asking again, short ones so that a stop is noticed."""
        if place is None or self._stopped:
            return 0.0
        return min(place[1] - time.monotonic(), _POLL_SECONDS)

    def begin(self, place: Place | None) -> int | None:
        """The message, whose time has come; None when the work was stopped meanwhile."""
        with self._lock:
            now = time.monotonic()
            if place is None or self._stopped or self._is_over(now):
                return None
            if self.began is None:
                self.began = now
            self.started += 1
            return place[0]

    def _is_over(self, now: float) -> bool:
        if self._seconds is None or self.began is None:
            return False
        return now - self.began >= self._seconds


class Delivery:
    """Sends messages in threads of its own and tells what became of each.

    The first failure stops the work: what is on its way is waited for, nothing more is sent. On one
    connection the messages leave in their order.
    """

    def __init__(
        self,
        payloads: Sequence[bytes],
        agenda: Agenda,
        server: tuple[str, int],
        client: ClientKeywords,
        *,
        connections: int = 1,
        window: int = 1,
    ) -> None:
        """Plan the work, which begins with `outcomes`.

        Args:
            payloads: The messages, sent from first to last and again as long as the agenda says.
            agenda: Which is next.
            server: Its address and port.
            client: Options for `Client` or `aio.connect`.
            connections: How many connections to open.
            window: How many messages may be without a reply on one connection.
        """
        self._payloads = payloads
        self._agenda = agenda
        self._server = server
        self._client = client
        self._connections = connections
        self._window = window
        # The one way to the thread that reads the outcomes. A signal handler may put something in
        # at any time, even while it is being read.
        self._results: queue.SimpleQueue[Outcome | str] = queue.SimpleQueue()

    def interrupt(self) -> None:
        """Stop; called again, wait for nothing. For signal handlers."""
        self._results.put("interrupt")

    def outcomes(self, command: str) -> Iterator[Outcome]:
        """Send, and tell what became of each message in the order in which it is known.

        Args:
            command: Who tells the user that an interruption was heard.
        """
        works: list[Callable[[], None]] = [self._send_blocking] * self._connections
        if self._window > 1:
            works = [self._send_in_window]
        for work in works:
            # Daemon: a program that is told twice to end does not wait for an answer.
            threading.Thread(target=self._run, args=(work,), daemon=True).start()
        running = len(works)
        interrupted = False
        while running:
            try:
                result = self._results.get(timeout=_POLL_SECONDS)
            except queue.Empty:  # Waited in slices, since Windows delivers no signal in a wait.
                continue
            if isinstance(result, Outcome):
                yield result
            elif result == "finished":
                running -= 1
            elif interrupted:
                return
            else:
                interrupted = True
                self._agenda.stop()
                complain(command, _STOPPING)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._fail(Outcome(None, 0.0, error=error))
        finally:
            self._results.put("finished")

    def _send_blocking(self) -> None:
        client = Client(*self._server, **self._client)
        try:
            client.connect()
            self._send_with(client)
        finally:
            with contextlib.suppress(ConnectionLost):  # The outcome tells.
                client.close()
            self._conclude(Outcome(None, 0.0, unasked=client.unasked))

    def _send_with(self, client: Client) -> None:
        while not client.unasked.uncertain and (number := self._agenda.take()) is not None:
            began = time.perf_counter()
            try:
                reply = client.send(self._payload(number))
            except Exception as error:
                self._fail(Outcome(number, time.perf_counter() - began, error=error))
                return
            self._results.put(Outcome(number, time.perf_counter() - began, reply))

    def _send_in_window(self) -> None:
        from fastmllp.cli.window import send  # Here, because few commands need asyncio.

        send(
            self._payload,
            self._agenda,
            self._server,
            {**self._client, "window": self._window},
            self._connections,
            self._conclude,
        )

    def _conclude(self, outcome: Outcome) -> None:
        unasked = outcome.unasked
        if outcome.error is not None or (unasked is not None and unasked.uncertain):
            self._fail(outcome)
        elif unasked is None or unasked.refused:
            self._results.put(outcome)

    def _fail(self, outcome: Outcome) -> None:
        self._agenda.stop()
        self._results.put(outcome)

    def _payload(self, number: int) -> bytes:
        return self._payloads[number % len(self._payloads)]


@contextlib.contextmanager
def interruptible(delivery: Delivery) -> Iterator[list[int]]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the work in order; the list holds the signals that came.

    Afterwards they are ignored: what is left to do is short, and an exit status counts.
    """
    signals: list[int] = []

    def stop(number: int, interrupted: FrameType | None) -> None:
        signals.append(number)
        delivery.interrupt()

    heeded = heed_interruption(stop)
    try:
        yield signals
    finally:
        ignore(heeded)


def describe(error: Exception) -> str:
    """Why a message was not delivered. What a stranger's exception says may quote the message."""
    return str(error) if isinstance(error, MllpError | OSError) else type(error).__name__

"""A client's messages, from the call that sends one to its reply."""

import asyncio
from collections import deque
from collections.abc import Callable

from fastmllp._native import Initiator
from fastmllp.client.failure import with_fate
from fastmllp.reply import DeliveryError, Reply

# Messages that the link holds at a time; further ones wait here.
_CAPACITY = 64

Settled = Callable[[], None]


class Outbox:
    """Messages without a reply, and the futures of those who wait for one.

    Attributes:
        waiting: The futures of the messages that the link has, by their handles.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[Reply]] = {}
        # What the link does not have yet, in order.
        self._queue: deque[tuple[bytes, asyncio.Future[Reply]]] = deque()
        # On their way, but nobody waits any more; who is to be told of their end.
        self._given_up: dict[int, Settled | None] = {}

    def add(self, payload: bytes, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Reply]:
        """Take a message; the future gets its reply."""
        future: asyncio.Future[Reply] = loop.create_future()
        self._queue.append((payload, future))
        return future

    def submit(self, link: Initiator, now: float) -> None:
        """Give the link what it has room for."""
        while self._queue and link.open_messages < _CAPACITY:
            payload, future = self._queue.popleft()
            if future.done():
                continue
            try:
                handle = link.submit(payload, now)
            except Exception as error:
                future.set_exception(error.with_traceback(None))
            else:
                self.waiting[handle] = future

    def give_up(
        self, future: asyncio.Future[Reply], link: Initiator, settled: Settled | None
    ) -> None:
        """Nobody waits for this reply any more.

        Args:
            future: From `add`.
            link: Takes the message back, if it is not on its way.
            settled: Called when the message is on the connection no more, which may be at once.
        """
        future.cancel()  # In the queue, that is all there is to know.
        for handle, waiting in self.waiting.items():
            if waiting is future:
                del self.waiting[handle]
                if not link.withdraw(handle):
                    self._given_up[handle] = settled
                    return
                break
        _tell(settled)

    def take(self, handle: int) -> asyncio.Future[Reply] | None:
        """The message has its verdict: who waits for it, if anyone does."""
        future = self.waiting.pop(handle, None)
        if future is None:
            _tell(self._given_up.pop(handle, None))
        elif not future.done():
            return future
        return None

    def fail_queued(self, link: Initiator, error: DeliveryError) -> None:
        """Fail every message that the link has and that has not left."""
        for handle in list(self.waiting):
            if link.withdraw(handle):
                fail(self.waiting.pop(handle), error, "not_sent")

    def clear(self, link: Initiator, error: DeliveryError) -> None:
        """Forget every message; who waits for one gets this error."""
        self.fail_queued(link, error)
        while self.waiting:
            fail(self.waiting.popitem()[1], error, "uncertain")
        while self._queue:
            fail(self._queue.popleft()[1], error, "not_sent")
        while self._given_up:
            _tell(self._given_up.popitem()[1])

    def __bool__(self) -> bool:
        """Whether a message waits that the link does not have."""
        return bool(self._queue)


def fail(future: asyncio.Future[Reply], error: DeliveryError, fate: str) -> None:
    """Tell the one who waits for a reply that there is none."""
    if not future.done():
        future.set_exception(with_fate(error, fate))


def _tell(settled: Settled | None) -> None:
    if settled is not None:
        settled()

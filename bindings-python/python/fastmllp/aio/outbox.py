"""A client's messages, from the call that sends one to its reply."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from fastmllp._native import Initiator
from fastmllp.client.failure import with_fate
from fastmllp.client.reply import DeliveryError, Reply

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
        # Since the link was looked at last.
        self._new: deque[tuple[asyncio.Future[Reply], bytes]] = deque()
        # Those that the link has no room for, before the new ones. It knows their control IDs, so
        # that its rules hold for these messages as well.
        self._held: OrderedDict[asyncio.Future[Reply], bytes] = OrderedDict()
        # In progress, but given up by the caller, with the function to call when they end.
        self._given_up: dict[int, Settled | None] = {}

    def add(self, payload: bytes, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Reply]:
        """Take a message; the future gets its reply."""
        future: asyncio.Future[Reply] = loop.create_future()
        self._new.append((future, payload))
        return future

    def submit(self, link: Initiator, now: float) -> None:
        """Give the link what it has room for, and let it know of the rest."""
        while self._held and link.open_messages < _CAPACITY:
            future, payload = self._held.popitem(last=False)
            link.release(payload)
            if not future.done():
                self._enter(future, payload, link, now)
        while self._new:
            future, payload = self._new.popleft()
            if not future.done():
                self._enter(future, payload, link, now)

    def _enter(
        self, future: asyncio.Future[Reply], payload: bytes, link: Initiator, now: float
    ) -> None:
        try:
            if link.open_messages < _CAPACITY:
                self.waiting[link.submit(payload, now)] = future
            else:
                link.hold(payload)
                self._held[future] = payload
        except Exception as error:
            future.set_exception(error.with_traceback(None))

    def give_up(
        self, future: asyncio.Future[Reply], link: Initiator, settled: Settled | None
    ) -> None:
        """Nobody waits for this reply any more.

        Args:
            future: From `add`.
            link: Takes the message back, if it is not on its way.
            settled: Called when the message is on the connection no more, which may be at once.
        """
        future.cancel()  # For a new message this is enough.
        if (payload := self._held.pop(future, None)) is not None:
            link.release(payload)
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
        """Fail every message that the link knows and that has not left."""
        for handle in list(self.waiting):
            if link.withdraw(handle):
                fail(self.waiting.pop(handle), error, "not_sent")
        while self._held:
            future, payload = self._held.popitem(last=False)
            link.release(payload)
            fail(future, error, "not_sent")

    def clear(self, link: Initiator, error: DeliveryError) -> None:
        """Forget every message; who waits for one gets this error."""
        self.fail_queued(link, error)
        while self.waiting:
            fail(self.waiting.popitem()[1], error, "uncertain")
        while self._new:
            fail(self._new.popleft()[0], error, "not_sent")
        while self._given_up:
            _tell(self._given_up.popitem()[1])

    def can_submit(self, link: Initiator) -> bool:
        """Whether a message waits that the link has room for."""
        return bool(self) and link.open_messages < _CAPACITY

    def __bool__(self) -> bool:
        """Whether a message waits that the link does not have."""
        return bool(self._new or self._held)


def fail(future: asyncio.Future[Reply], error: DeliveryError, fate: str) -> None:
    """Tell the one who waits for a reply that there is none."""
    if not future.done():
        future.set_exception(with_fate(error, fate))


def _tell(settled: Settled | None) -> None:
    if settled is not None:
        settled()

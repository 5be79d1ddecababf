"""Opening a connection to a host that may have several addresses, some of them dead.

`HappyEyeballs` decides which address is tried next, and when (RFC 8305). It has no socket and no
clock: `connect` waits for it in a thread, `fastmllp.aio.dialing` in an event loop.
"""

import errno
import ipaddress
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import cast

from fastmllp.serving.sockets.addresses import Address, interleaved, resolve, unbracketed
from fastmllp.serving.sockets.options import set_options

__all__ = ["HappyEyeballs", "connect", "look_up", "numeric", "open_socket"]

# RFC 8305, section 5: the Connection Attempt Delay that it recommends, in seconds.
_STAGGER = 0.25
# What a connect that does not block returns while it is in progress; Windows has its own number.
_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


class HappyEyeballs:
    """Which address is tried next, and when: 250 ms after the one before, or once that failed.

    A dead address so costs a quarter of a second and not the whole time, and a host that is fine
    sees one attempt only.

    Example:
        >>> v6, v4 = Address(AF_INET6, ("::1", 1, 0, 0)), Address(AF_INET, ("127.0.0.1", 1))
        >>> attempts = HappyEyeballs([v6, v4])
        >>> attempts.take(now=0.0) is v6, attempts.take(now=0.2), attempts.next_time
        (True, None, 0.25)
        >>> attempts.failed(OSError("unreachable"))
        >>> attempts.take(now=0.2) is v4, attempts.next_time
        (True, None)
    """

    def __init__(self, addresses: list[Address]) -> None:
        """Begin with the addresses in the order in which the system prefers them."""
        self.next_time: float | None = 0.0 if addresses else None
        """When `take` has the next address; None when there is none left."""
        self.error = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        """Why the last attempt that failed did so."""
        self._left = interleaved(addresses)
        self._running = 0

    def take(self, now: float) -> Address | None:
        """The address to try now; None when it is not yet time, or when there is none left."""
        if self.next_time is None or now < self.next_time:
            return None
        self._running += 1
        address = self._left.pop(0)
        self.next_time = now + _STAGGER if self._left else None
        return address

    def failed(self, error: OSError) -> None:
        """An attempt has failed: the next one may begin at once."""
        self._running -= 1
        self.error = error
        if self.next_time is not None:
            self.next_time = 0.0

    @property
    def is_over(self) -> bool:
        """Whether every address was tried and has failed."""
        return self._running == 0 and self.next_time is None


def look_up(host: str, port: int, done: Callable[[list[Address] | OSError], None]) -> None:
    """Find the addresses of a host in a thread of its own, because the system may take its time.

    Nothing can interrupt a look-up of the system. Its thread is a daemon: a caller that has given
    up leaves it behind, and no program waits for it at its end.

    Args:
        host: Address or name, as for `resolve`.
        port: TCP port.
        done: Called in that thread, with the addresses or the reason why there are none.
    """

    def run() -> None:
        try:
            found: list[Address] | OSError = resolve(host, port)
        except OSError as error:
            found = error
        done(found)

    threading.Thread(target=run, name=f"look up {port}", daemon=True).start()


def open_socket(address: Address) -> socket.socket:
    """A socket for one attempt, which does not block.

    Raises:
        OSError: There is no socket for such an address.
    """
    connecting = socket.socket(address.family, socket.SOCK_STREAM)
    connecting.setblocking(False)
    set_options(connecting)
    return connecting


def connect(host: str, port: int, deadline: float | None) -> socket.socket:
    """Connect to the address of a host that takes the connection first. Blocks.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: TCP port.
        deadline: By the monotonic clock, for the look-up and all attempts; None: no limit.

    Returns:
        The socket, with the options of `set_options`. It does not block.

    Raises:
        TimeoutError: The time was over first.
        OSError: The host is not known, or none of its addresses could be reached.
    """
    attempts = HappyEyeballs(_addresses(host, port, deadline))
    connecting: set[socket.socket] = set()
    with selectors.DefaultSelector() as selector:
        try:
            while not attempts.is_over:
                while (address := attempts.take(time.monotonic())) is not None:
                    try:
                        _begin(address, connecting, selector)
                    except OSError as error:
                        attempts.failed(error)
                for ready in _wait(selector, attempts.next_time, deadline):
                    if number := ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        selector.unregister(ready)
                        attempts.failed(OSError(number, os.strerror(number)))
                    else:
                        connecting.remove(ready)
                        return ready
            raise attempts.error
        finally:
            for one in connecting:
                one.close()


def _begin(
    address: Address, connecting: set[socket.socket], selector: selectors.BaseSelector
) -> None:
    opened = open_socket(address)
    connecting.add(opened)
    number = opened.connect_ex(address.address)
    if number and number not in _IN_PROGRESS:
        raise OSError(number, os.strerror(number))
    selector.register(opened, selectors.EVENT_WRITE)


def _wait(
    selector: selectors.BaseSelector, next_time: float | None, deadline: float | None
) -> list[socket.socket]:
    """The sockets whose attempts have ended, by the time of the next attempt."""
    if not selector.get_map():
        return []  # Every attempt so far has failed at once.
    now = time.monotonic()
    if deadline is not None and now >= deadline:
        raise TimeoutError
    times = [it for it in (next_time, deadline) if it is not None]
    ready = selector.select(max(0.0, min(times) - now) if times else None)
    return [cast(socket.socket, key.fileobj) for key, _ in ready]


def numeric(host: str, port: int) -> list[Address]:
    """The address that a host is, if it is one; empty for a name. Does not block.

    Raises:
        OSError: The system does not take the address.
    """
    try:
        ipaddress.ip_address(unbracketed(host))
    except ValueError:
        return []
    return resolve(host, port)


def _addresses(host: str, port: int, deadline: float | None) -> list[Address]:
    if found := numeric(host, port):
        return found
    answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()
    look_up(host, port, answers.put)
    try:
        answer = answers.get(
            timeout=None if deadline is None else max(0.0, deadline - time.monotonic())
        )
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer

"""Opening a connection to a host that may have several addresses, under asyncio."""

import asyncio
import contextlib
import socket

from fastmllp.sockets.addresses import Address
from fastmllp.sockets.dialing import HappyEyeballs, look_up, numeric, open_socket

__all__ = ["connect"]


async def connect(host: str, port: int) -> socket.socket:
    """Connect to the address of a host that takes the connection first.

    The caller sets the limit of time for all of it; one that is cancelled leaves no socket behind.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: TCP port.

    Returns:
        The socket, with the options of `set_options`. It does not block.

    Raises:
        OSError: The host is not known, or none of its addresses could be reached.
    """
    loop = asyncio.get_running_loop()
    attempts = HappyEyeballs(numeric(host, port) or await _look_up(host, port))
    connecting: dict[asyncio.Task[None], socket.socket] = {}
    try:
        while not attempts.is_over:
            while (address := attempts.take(loop.time())) is not None:
                try:
                    opened = open_socket(address)
                except OSError as error:
                    attempts.failed(error)
                    continue
                attempt = loop.create_task(loop.sock_connect(opened, address.address))
                connecting[attempt] = opened
            for ended in await _wait(list(connecting), attempts.next_time):
                opened = connecting.pop(ended)
                failure = ended.exception()
                if failure is None:
                    return opened
                opened.close()
                if not isinstance(failure, OSError):
                    raise failure
                attempts.failed(failure)
        raise attempts.error
    finally:
        await _abandon(connecting)


async def _wait(
    attempts: list[asyncio.Task[None]], next_time: float | None
) -> set[asyncio.Task[None]]:
    """The attempts that have ended, by the time of the next one."""
    if not attempts:
        return set()  # Every attempt so far has failed at once.
    timeout = None
    if next_time is not None:
        timeout = max(0.0, next_time - asyncio.get_running_loop().time())
    ended, _ = await asyncio.wait(attempts, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return ended


async def _abandon(connecting: dict[asyncio.Task[None], socket.socket]) -> None:
    if not connecting:
        return
    for attempt in connecting:
        attempt.cancel()
    try:
        # The loop watches a socket until its attempt has ended: only then may it be closed.
        await asyncio.gather(*connecting, return_exceptions=True)
    finally:
        for opened in connecting.values():
            opened.close()


async def _look_up(host: str, port: int) -> list[Address]:
    # Not by the executor of the loop: few look-ups that hang would fill it, and the end of the loop
    # waits for it.
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address] | OSError] = loop.create_future()

    def tell(found: list[Address] | OSError) -> None:
        if not answer.done():
            answer.set_result(found)

    def done(found: list[Address] | OSError) -> None:
        with contextlib.suppress(RuntimeError):  # The loop is closed, and nobody waits.
            loop.call_soon_threadsafe(tell, found)

    look_up(host, port, done)
    found = await answer
    if isinstance(found, OSError):
        raise found
    return found

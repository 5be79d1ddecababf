"""Opening a connection to a host that may have several addresses, under asyncio."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from fastmllp.aio.secure import SecureLayer
from fastmllp.logging import Log
from fastmllp.serving.sockets.addresses import Address
from fastmllp.serving.sockets.dialing import HappyEyeballs, look_up, numeric, open_socket
from fastmllp.tls.failure import TlsFailure
from fastmllp.tls.session import TlsSession

__all__ = ["NotSecure", "attach", "connect"]


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


async def attach(
    connected: socket.socket,
    new_protocol: Callable[[], asyncio.Protocol],
    session: TlsSession | None = None,
    log: Log | None = None,
) -> None:
    """Let a protocol have a connection that was just opened; one that cannot be used is closed.

    Args:
        connected: From `connect`.
        new_protocol: Makes the protocol.
        session: New, of a client's end, for TLS. The protocol is made, and told of the connection,
            when the handshake is done.
        log: For the records of a protocol that does not hear of TLS.

    Raises:
        NotSecure: TLS did not come about.
    """
    loop = asyncio.get_running_loop()
    layer = None if session is None else SecureLayer(new_protocol, session, log=log)
    try:
        transport, _ = await loop.create_connection(
            new_protocol if layer is None else layer.itself, sock=connected
        )
    except BaseException:
        connected.close()
        raise
    if layer is None:
        return
    try:
        failure = await layer.opened
    except asyncio.CancelledError:
        transport.abort()
        raise
    if failure is not None:
        transport.abort()
        raise NotSecure(failure)


class NotSecure(ConnectionError):
    """A handshake of TLS that has failed."""

    def __init__(self, failure: TlsFailure) -> None:
        super().__init__(failure.text)
        self.failure = failure


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
        with contextlib.suppress(RuntimeError):  # The loop is closed: no task waits.
            loop.call_soon_threadsafe(tell, found)

    look_up(host, port, done)
    found = await answer
    if isinstance(found, OSError):
        raise found
    return found

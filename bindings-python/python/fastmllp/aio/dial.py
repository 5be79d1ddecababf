"""Opening a client's connection under asyncio."""

import asyncio
import socket
import ssl

from fastmllp.aio.client_connection import ClientConnection
from fastmllp.aio.dialing import NotSecure, attach, connect
from fastmllp.client.reply import ConnectError
from fastmllp.serving.sockets.addresses import place, reason
from fastmllp.tls.failure import TLS_CLOSED, no_handshake
from fastmllp.tls.session import TlsSession

__all__ = ["dial"]


async def dial(
    host: str,
    port: int,
    timeout: float,
    tls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
) -> ClientConnection:
    """Connect, and shake hands if there is a context.

    Args:
        host: Address or name of the server; an IPv6 address may stand in brackets.
        port: Its TCP port.
        timeout: Seconds for all of it, from the look-up of the name to the end of the handshake;
            0 for no limit.
        tls: The context of TLS.
        server_hostname: The name that the server's certificate must have.

    Returns:
        The connection, which waits for its owner.

    Raises:
        ConnectError: The server cannot be reached, or TLS does not come about.
    """
    server = place(host, port)
    connected: socket.socket | None = None
    session = None if tls is None else TlsSession(tls, server_hostname=server_hostname)
    try:
        async with asyncio.timeout(timeout or None):
            connected = await connect(host, port)
            connection = ClientConnection(connected, session)
            await attach(connected, lambda: connection, session)
    except OSError as error:
        if connected is None:
            why = reason(error)
        else:
            failure = error.failure if isinstance(error, NotSecure) else None
            why = no_handshake(None if failure is TLS_CLOSED else failure, error)
        raise ConnectError(f"cannot reach {server}: {why}") from error
    return connection

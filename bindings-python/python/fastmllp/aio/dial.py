"""Opening a client's connection under asyncio."""

import asyncio
import socket
import ssl

from fastmllp.aio.client_connection import ClientConnection, SecureClientConnection
from fastmllp.aio.dialing import connect
from fastmllp.reply import ConnectError
from fastmllp.sockets.addresses import place, reason
from fastmllp.tls_failure import no_handshake
from fastmllp.tls_session import TlsSession

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
    connection: ClientConnection | None = None
    try:
        async with asyncio.timeout(timeout or None):
            connected = await connect(host, port)
            connection = await _adopt_socket(connected, tls, server_hostname)
            await connection.open()
    except BaseException as error:
        if connection is not None:
            connection.hang_up()
        if not isinstance(error, OSError):
            raise
        why = reason(error) if connection is None else no_handshake(connection.failure, error)
        raise ConnectError(f"cannot reach {server}: {why}") from error
    return connection


async def _adopt_socket(
    connected: socket.socket, tls: ssl.SSLContext | None, server_hostname: str | None
) -> ClientConnection:
    try:
        if tls is None:
            connection = ClientConnection(connected)
        else:
            session = TlsSession(tls, server_hostname=server_hostname)
            connection = SecureClientConnection(connected, session)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, sock=connected)
    except BaseException:
        connected.close()
        raise
    return connection

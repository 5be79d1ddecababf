"""Opening a connection to a server, with TLS or without."""

import contextlib
import ssl
import time

from fastmllp.client.reply import ConnectError
from fastmllp.serving.sockets.addresses import place, reason
from fastmllp.serving.sockets.dialing import connect
from fastmllp.serving.stream import Stream, TlsStream
from fastmllp.tls.failure import no_handshake
from fastmllp.tls.session import TlsSession

__all__ = ["dial"]


def dial(
    host: str,
    port: int,
    timeout: float,
    tls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
) -> tuple[Stream, bytes]:
    """Connect, and shake hands if there is a context.

    Args:
        host: Address or name of the server; an IPv6 address may stand in brackets.
        port: Its TCP port.
        timeout: Seconds for all of it, from the look-up of the name to the end of the handshake;
            0 for no limit.
        tls: The context of TLS.
        server_hostname: The name that the server's certificate must have.

    Returns:
        The stream, and what came with the end of the handshake, which is usually nothing.

    Raises:
        ConnectError: The server cannot be reached, or TLS does not come about.
    """
    server = place(host, port)
    deadline = time.monotonic() + timeout if timeout else None
    try:
        connected = connect(host, port, deadline)
    except OSError as error:
        raise ConnectError(f"cannot reach {server}: {reason(error)}") from error
    if tls is None:
        return Stream(connected), b""
    try:
        stream = TlsStream(connected, TlsSession(tls, server_hostname=server_hostname))
        return stream, _shake_hands(stream, server, deadline)
    except BaseException:
        connected.close()
        raise


def _shake_hands(stream: Stream, server: str, deadline: float | None) -> bytes:
    data = b""
    try:
        while not (stream.is_open or stream.is_ended):
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                raise TimeoutError
            stream.socket.settimeout(remaining)
            with contextlib.suppress(BlockingIOError):
                data = stream.receive()
        if not stream.is_open:
            raise ConnectionResetError
    except OSError as error:
        why = no_handshake(stream.failure, error)
        raise ConnectError(f"cannot reach {server}: {why}") from error
    return data

"""Opening a connection to a server, with TLS or without."""

import contextlib
import socket
import ssl
import time

from fastmllp.reply import ConnectError
from fastmllp.sockets.options import set_options
from fastmllp.stream import Stream, TlsStream
from fastmllp.tls_failure import TLS_CLOSED
from fastmllp.tls_session import TlsSession

__all__ = ["dial"]

_NOT_TLS = "perhaps it does not speak TLS"


def dial(
    host: str,
    port: int,
    timeout: float,
    tls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
) -> tuple[Stream, bytes]:
    """Connect, and shake hands if there is a context.

    Args:
        host: Address or name of the server.
        port: Its TCP port.
        timeout: Seconds for all of it; 0 for no limit.
        tls: The context of TLS.
        server_hostname: The name that the server's certificate must have.

    Returns:
        The stream, and what came with the end of the handshake, which is usually nothing.

    Raises:
        ConnectError: The server cannot be reached, or TLS does not come about.
    """
    server = f"{host}:{port}"
    deadline = time.monotonic() + timeout if timeout else None
    try:
        connected = socket.create_connection((host, port), timeout=timeout or None)
    except TimeoutError as error:
        raise ConnectError(f"cannot reach {server}: no answer in time") from error
    except (OSError, UnicodeError) as error:
        text = getattr(error, "strerror", None) or "not a host name"
        raise ConnectError(f"cannot reach {server}: {text}") from error
    set_options(connected)
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
    except TimeoutError as error:
        text = f"no end of the TLS handshake in time; {_NOT_TLS}"
        raise ConnectError(f"cannot reach {server}: {text}") from error
    except OSError as error:
        # A plain server that closes with our first bytes unread resets the connection.
        raise ConnectError(f"cannot reach {server}: {TLS_CLOSED.text}; {_NOT_TLS}") from error
    if stream.is_open:
        return data
    text = stream.failure.text if stream.failure else f"{TLS_CLOSED.text}; {_NOT_TLS}"
    raise ConnectError(f"cannot reach {server}: {text}")

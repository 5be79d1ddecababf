"""Opening a client's connection under asyncio."""

import asyncio
import os
import ssl

from fastmllp.aio.client_connection import ClientConnection, Owner
from fastmllp.reply import ConnectError
from fastmllp.tls_failure import TlsFailure


async def dial(
    owner: Owner,
    host: str,
    port: int,
    timeout: float,
    tls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
) -> ClientConnection:
    """Connect, and shake hands if there is a context.

    Args:
        owner: Told of everything that happens on the connection.
        host: Address or name of the server.
        port: Its TCP port.
        timeout: Seconds for all of it; 0 for no limit.
        tls: The context of TLS.
        server_hostname: The name in the server's certificate, where it is not `host`.

    Raises:
        ConnectError: The server cannot be reached, or TLS does not come about.
    """
    server = f"{host}:{port}"
    try:
        async with asyncio.timeout(timeout or None):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: ClientConnection(owner),
                host,
                port,
                ssl=tls,
                server_hostname=server_hostname if tls is not None else None,
            )
    except TimeoutError as error:
        raise ConnectError(f"cannot reach {server}: no answer in time") from error
    except ssl.SSLError as error:
        failure = TlsFailure.of(error, b"")
        raise ConnectError(f"cannot reach {server}: {failure.text}") from error
    except (OSError, UnicodeError) as error:
        # asyncio adds the address to the text of an error; the number has the plain one.
        number = getattr(error, "errno", None) or 0
        text = os.strerror(number) if number > 0 else getattr(error, "strerror", None)
        text = text or str(error) or "not a host name"
        raise ConnectError(f"cannot reach {server}: {text}") from error
    return connection

"""HL7 v2 messages over MLLP: framing, acknowledgments, a server and a client.

A server that acknowledges everything, and a message sent to it:

    >>> import fastmllp
    >>> fastmllp.serve("127.0.0.1", 2575)  # doctest: +SKIP
    >>> ack = fastmllp.send("127.0.0.1", 2575, payload)  # doctest: +SKIP

`Server` and `Client` are the same with settings, and `Pool` is a client for many threads.
`fastmllp.aio` has all three for asyncio, and `fastmllp.link` receives from analyzers on connections
that it accepts or dials itself. `Decoder`, `frame`, `Message` and `build_ack` are the wire layer
below, for programs with sockets of their own.
"""

from typing import Unpack

from fastmllp._native import __version__
from fastmllp.ack import Ack, AckCode, AckError, Decision, ErrorDetail, build_ack, decide
from fastmllp.client import (
    BackOff,
    Client,
    ClientKeywords,
    ClientOptions,
    ConnectError,
    ConnectionLost,
    DeliveryError,
    EncodingError,
    LinkError,
    NoReply,
    Pool,
    Reply,
    ReplyTooLarge,
)
from fastmllp.hl7 import (
    Message,
    MessageError,
    MessageHeader,
    Path,
    Segment,
    escape,
    unescape,
)
from fastmllp.mllp import (
    CARRIAGE_RETURN,
    END_BLOCK,
    START_BLOCK,
    Decoder,
    FrameError,
    MllpError,
    encode_slices,
    frame,
    unframe_stream,
)
from fastmllp.old_paths import serve_old_paths
from fastmllp.saving import SaveTo
from fastmllp.server import Handler, Server, ServerKeywords, ServerOptions

__all__ = [
    "Ack",
    "AckCode",
    "AckError",
    "CARRIAGE_RETURN",
    "BackOff",
    "Client",
    "ConnectError",
    "ConnectionLost",
    "Decision",
    "Decoder",
    "DeliveryError",
    "END_BLOCK",
    "EncodingError",
    "ErrorDetail",
    "FrameError",
    "LinkError",
    "Message",
    "MessageError",
    "MessageHeader",
    "MllpError",
    "NoReply",
    "Path",
    "Pool",
    "Reply",
    "ReplyTooLarge",
    "START_BLOCK",
    "SaveTo",
    "Segment",
    "Server",
    "__version__",
    "build_ack",
    "decide",
    "encode_slices",
    "escape",
    "frame",
    "send",
    "serve",
    "unescape",
    "unframe_stream",
]

serve_old_paths()


@ServerOptions.shown(ServerKeywords)
def serve(
    host: str = ServerOptions.host,
    port: int = ServerOptions.port,
    *,
    handler: Handler | None = None,
    **options: Unpack[ServerKeywords],
) -> None:
    """Acknowledge every complete frame until the process is interrupted. Blocks.

    Args:
        host: Address or name to listen on.
        port: TCP port to listen on.
        handler: As for `Server`.
        options: As for `Server`.

    Raises:
        OSError: The address cannot be bound.
    """
    with Server(handler, host, port, **options) as server:
        server.serve_forever()


@ClientOptions.shown(ClientKeywords, wait_for="accept")
def send(host: str, port: int, message: str | bytes, **options: Unpack[ClientKeywords]) -> bytes:
    """Send one message over a connection of its own.

    A message that asks for both acknowledgments has succeeded with the first, CA: pass
    ``wait_for="application"`` to wait for the second one as well.

    Args:
        host: Address or name of the server.
        port: TCP port of the server.
        message: The payload.
        options: As for `Client`.

    Returns:
        The payload of the reply, positive or negative; empty when the message asks for no answer.

    Raises:
        DeliveryError: Nothing was delivered or answered.
    """
    options.setdefault("wait_for", "accept")
    with Client(host, port, **options) as client:
        return client.send(message).payload

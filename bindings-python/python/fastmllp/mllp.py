"""Frames: a payload between a start block and an end block (MLLP, Release 1).

On the wire a frame is ``0B payload 1C 0D``. The delimited unit is a *frame*, what it carries is the
*payload*. The protocol has no length, no checksum and no escape, so a payload that holds a start
block or an end block cannot be sent.

The default profile, ``permissive``, takes the end block alone as the end of a frame and swallows a
carriage return after it. The price: an end block inside a payload cuts the message there, and when
a sender dies in mid-message and starts again on the same connection the two messages are fused.
Both are reported as events; the profile ``resync`` is for such links.
"""

from fastmllp._native import (
    CARRIAGE_RETURN,
    END_BLOCK,
    START_BLOCK,
    Decoder,
    DecoderEvent,
    Deviation,
    Discard,
    Fault,
    Frame,
    FrameError,
    MllpError,
    encode_slices,
    frame,
)

__all__ = [
    "CARRIAGE_RETURN",
    "END_BLOCK",
    "START_BLOCK",
    "Decoder",
    "DecoderEvent",
    "Deviation",
    "Discard",
    "Fault",
    "Frame",
    "FrameError",
    "MllpError",
    "encode_slices",
    "frame",
    "unframe_stream",
]


def unframe_stream(buffer: bytes | bytearray | memoryview) -> tuple[list[bytes], bytes]:
    """Take every complete frame out of a receive buffer.

    Meant for a buffer that is at hand as a whole. A loop that reads from a socket is better off
    with a `Decoder`, which looks at every byte once, however the reads are cut.

    Args:
        buffer: Received bytes that no earlier call consumed. Any length, in bytes.

    Returns:
        The payloads of the complete frames in stream order, and the rest: the bytes from the start
        block of the unfinished frame on. Bytes outside frames are dropped, so the rest is empty
        or begins with a start block.
    """
    data = bytes(buffer)
    # The limit guards against a stream without end; a buffer in memory is its own limit.
    decoder = Decoder(max_payload_len=None)
    payloads = decoder.feed(data)
    return payloads, data[len(data) - decoder.pending :]

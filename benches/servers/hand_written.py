"""What a careful user writes without a library: frames by search, MSH by split, a joined answer."""

import itertools
import time

_numbers = itertools.count(1)


def answers(data: bytes) -> tuple[bytes, bytes]:
    """The framed answers to the complete frames of `data`, and what is left of it."""
    found: list[bytes] = []
    at = 0
    while (end := data.find(b"\x1c\r", at)) >= 0:
        start = data.find(b"\x0b", at, end)
        if start >= 0:
            found.append(answer(data[start + 1 : end]))
        at = end + 2
    return b"".join(found), data[at:]


def answer(message: bytes) -> bytes:
    """AA for a message: sender and receiver change places, MSA-2 repeats MSH-10."""
    end = message.find(b"\r")
    fields = (message if end < 0 else message[:end]).split(message[3:4], 12)
    parts = fields[8].split(b"^")
    event = parts[1] if len(parts) > 1 else b""
    header = (
        b"MSH",
        fields[1],
        fields[4],
        fields[5],
        fields[2],
        fields[3],
        time.strftime("%Y%m%d%H%M%S").encode(),
        b"",
        b"ACK^" + event + b"^ACK",
        b"%016d" % next(_numbers),
        fields[10],
        fields[11],
    )
    return b"".join((b"\x0b", b"|".join(header), b"\rMSA|AA|", fields[9], b"\r\x1c\r"))

"""What the processes of a comparison say to each other: JSON, and bytes after it."""

import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

_HEAD = struct.Struct(">I")


def write(stream: BinaryIO, said: Any, bodies: Sequence[bytes] = ()) -> None:
    """Write a frame: what is said, with the lengths of the bodies, and the bodies."""
    text = json.dumps([said, [len(body) for body in bodies]]).encode()
    stream.write(_HEAD.pack(len(text)) + text)
    for body in bodies:
        stream.write(body)
    stream.flush()


def read(stream: BinaryIO) -> tuple[Any, list[bytes]] | None:
    """Read a frame; None: the other end is gone."""
    head = _exactly(stream, _HEAD.size)
    text = head and _exactly(stream, _HEAD.unpack(head)[0])
    if not text:
        return None
    said, lengths = json.loads(text)
    bodies = []
    for length in lengths:
        body = _exactly(stream, length)
        if body is None:
            return None
        bodies.append(body)
    return said, bodies


def _exactly(stream: BinaryIO, length: int) -> bytes | None:
    read = stream.read(length)
    return read if len(read) == length else None

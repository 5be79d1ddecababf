"""The Unix socket in the data folder: how an engine takes it, and how a command reaches it.

Only the user of the engine, and root, may connect: its mode is 0600. The path of a socket has at
most 107 bytes; a folder with a longer one is reached through its descriptor.
"""

import os
import pwd
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio.trsock

NAME = "api.sock"
LONGEST = 103
"""Bytes of a path that every system takes."""
BACKLOG = 128

_DESCRIPTORS = Path("/proc/self/fd")


class Closed(Exception):
    """No engine can be reached through the socket. The text says why, and what to do."""


def take(data: Path) -> socket.socket:
    """The listening socket. For the engine that has the store: a socket in its way is a dead one's.

    Raises:
        OSError: the socket cannot be made.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            (data / NAME).unlink()
        with _path(data) as path:
            listening.bind(path)
        # Before anybody can connect.
        (data / NAME).chmod(0o600)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def peer(connected: "asyncio.trsock.TransportSocket") -> int:
    """The number of the user at the other end of a connection, as the kernel has it."""
    if not hasattr(socket, "SO_PEERCRED"):
        # Elsewhere than on Linux: only the engine's user, and root, has been let in.
        return os.getuid()
    credentials = struct.Struct("3i")
    given = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    uid: int = credentials.unpack(given)[1]
    return uid


def user(uid: int) -> str:
    """The name of a user; one that the system does not know has a number alone."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (OSError, KeyError):
        return f"uid {uid}"


def leave(data: Path) -> None:
    """Remove the socket of an engine that ends."""
    with suppress(OSError):
        (data / NAME).unlink()


def connect(data: Path, timeout: float) -> socket.socket:
    """A connection to the engine that uses this data folder.

    Raises:
        Closed: there is none, or it does not let this user in.
    """
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(timeout)
    try:
        with _path(data) as path:
            connected.connect(path)
    except OSError as error:
        connected.close()
        raise Closed(_why(data, error)) from None
    return connected


def _why(data: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no engine runs with the data folder {data}"
    if isinstance(error, ConnectionRefusedError):
        return (
            f"the engine with the data folder {data} has ended without a farewell; start it again"
        )
    if isinstance(error, PermissionError):
        return f"only the user of the engine may use {data / NAME}{_owner(data)}"
    return f"{data / NAME} cannot be reached: {error.strerror or type(error).__name__}"


def _owner(data: Path) -> str:
    try:
        return f": {(data / NAME).owner()}"
    except (OSError, KeyError):
        return ""


@contextmanager
def _path(data: Path) -> Iterator[str]:
    path = data / NAME
    if len(os.fsencode(path)) <= LONGEST:
        yield os.fspath(path)
        return
    if not _DESCRIPTORS.is_dir():
        raise OSError(None, f"its path is longer than {LONGEST} bytes; use a shorter data folder")
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield os.fspath(_DESCRIPTORS / str(folder) / NAME)
    finally:
        os.close(folder)

"""Hosts, ports and addresses: as people write them, and as sockets take them."""

import ipaddress
import itertools
import os
import socket
from typing import Any, NamedTuple

from fastmllp.logging.printable import one_line

__all__ = [
    "ANY_HOST",
    "Address",
    "interleaved",
    "peer_of",
    "place",
    "reason",
    "resolve",
    "unbracketed",
]

ANY_HOST = "*"
"""Stands for every address of the machine, IPv4 and IPv6."""


class Address(NamedTuple):
    """What a socket needs to connect or to listen."""

    family: socket.AddressFamily
    address: tuple[Any, ...]


def place(host: str, port: int) -> str:
    """Host and port as one text, with an IPv6 address in brackets: ``[::1]:2575``.

    The text can be printed, whatever someone has given as a host.
    """
    shown = one_line(host)
    return f"[{shown}]:{port}" if ":" in host else f"{shown}:{port}"


def unbracketed(host: str) -> str:
    """The host without the brackets in which `place` shows an IPv6 address."""
    inner = host[1:-1]
    return inner if host.startswith("[") and host.endswith("]") and ":" in inner else host


def peer_of(address: tuple[Any, ...]) -> tuple[str, int]:
    """Host and port of a peer. A socket for both families shows an IPv4 peer as ``::ffff:a.b.c.d``.

    Args:
        address: What `socket.accept` or `getpeername` gave.
    """
    host, port = address[:2]
    if host.startswith("::ffff:"):
        mapped = ipaddress.IPv6Address(host).ipv4_mapped
        if mapped is not None:
            return str(mapped), port
    return host, port


def resolve(host: str, port: int, *, passive: bool = False) -> list[Address]:
    """The addresses of a host, in the order in which the system prefers them, each once.

    Blocks while the system looks the name up, which can take several seconds.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: TCP port.
        passive: The addresses are to be listened on.

    Raises:
        OSError: The host is not known. The text is that of the system, without the host.
    """
    flags = socket.AI_PASSIVE if passive else 0
    try:
        found = socket.getaddrinfo(unbracketed(host), port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror:
        raise
    except (UnicodeError, ValueError) as error:  # ValueError: a NUL in the name.
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    return list(dict.fromkeys(Address(family, address) for family, _, _, _, address in found))


def interleaved(addresses: list[Address]) -> list[Address]:
    """The addresses with their families in turn, so that one dead family costs one attempt.

    RFC 8305, section 4. The first address stays the first.
    """
    if not addresses:
        return []
    first = [it for it in addresses if it.family == addresses[0].family]
    others = [it for it in addresses if it.family != addresses[0].family]
    pairs = itertools.zip_longest(first, others)
    return [address for pair in pairs for address in pair if address is not None]


def reason(error: OSError) -> str:
    """The system's text for an error, without the addresses that Python and asyncio add to it."""
    if isinstance(error, socket.gaierror):
        return error.strerror or "not a known host"
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer in time"
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or type(error).__name__

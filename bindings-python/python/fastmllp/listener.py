"""The listening socket of a server."""

import errno
import os
import socket

BACKLOG = 1024
"""Connections that the system keeps until they are accepted, if it keeps as many."""


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """Listen on the first address of the host that can be bound, IPv4 before IPv6.

    Args:
        host: Address or name; empty for every address.
        port: TCP port; 0 for a free one.
        reuse_port: Let other processes listen on the same port; the system shares the connections
            out among them.

    Raises:
        OSError: The host is not known or none of its addresses can be bound.
        ValueError: The system cannot share a port.
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("reuse_port: this system cannot share a port")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except UnicodeError as error:
        raise OSError(errno.EINVAL, "not a host name") from error
    failure: OSError | None = None
    for family, _, _, _, address in sorted(found, key=lambda info: info[0] != socket.AF_INET):
        try:
            # Sets SO_REUSEADDR, so that a restart does not wait for old connections to expire.
            return socket.create_server(
                address[:2], family=family, backlog=BACKLOG, reuse_port=reuse_port
            )
        except OSError as error:
            # The plain text of the error: create_server adds the address, which the caller knows.
            number = error.errno or errno.EADDRNOTAVAIL
            failure = failure or OSError(number, os.strerror(number))
    raise failure or OSError(errno.EADDRNOTAVAIL, "no address to listen on")

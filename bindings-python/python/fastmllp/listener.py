"""The listening socket of a server."""

import errno
import os
import socket

BACKLOG = 1024
"""Connections that the system keeps until they are accepted, if it keeps as many."""


def listen(host: str, port: int) -> socket.socket:
    """Listen on the first address of the host that can be bound, IPv4 before IPv6.

    Raises:
        OSError: The host is not known or none of its addresses can be bound.
    """
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
            return socket.create_server(address[:2], family=family, backlog=BACKLOG)
        except OSError as error:
            # The plain text of the error: create_server adds the address, which the caller knows.
            number = error.errno or errno.EADDRNOTAVAIL
            failure = failure or OSError(number, os.strerror(number))
    raise failure or OSError(errno.EADDRNOTAVAIL, "no address to listen on")

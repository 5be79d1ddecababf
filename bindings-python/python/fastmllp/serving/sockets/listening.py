"""The listening socket of a server."""

import errno
import os
import socket

from fastmllp.serving.sockets.addresses import ANY_HOST, resolve

__all__ = ["BACKLOG", "listen"]

BACKLOG = 1024
"""Connections that the system keeps until they are accepted, if it keeps as many."""

# A machine may know IPv6 and have no address of it.
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """Listen on the first address of the host that can be bound, IPv4 before IPv6.

    Args:
        host: Address or name. ``*``, or an empty text, is every address of the machine, IPv4 and
            IPv6, by one socket, or IPv4 alone where the system has no such socket. ``::`` is every
            IPv6 address and IPv6 only. An IPv6 address may stand in brackets.
        port: TCP port; 0 for a free one.
        reuse_port: Let other processes listen on the same port; the system shares the connections
            out among them.

    Raises:
        OSError: The host is not known or none of its addresses can be bound.
        ValueError: The system cannot share a port.
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("reuse_port: this system cannot share a port")
    if host in ("", ANY_HOST):
        if socket.has_dualstack_ipv6():
            try:
                return _bind(socket.AF_INET6, "::", port, reuse_port, both=True)
            except OSError as error:
                if error.errno not in _NO_IPV6:
                    raise
        host = "0.0.0.0"
    failure: OSError | None = None
    found = resolve(host, port, passive=True)
    for family, address in sorted(found, key=lambda it: it.family != socket.AF_INET):
        try:
            return _bind(family, address[0], port, reuse_port)
        except OSError as error:
            failure = failure or error
    raise failure or OSError(errno.EADDRNOTAVAIL, "no address to listen on")


def _bind(
    family: socket.AddressFamily, host: str, port: int, reuse_port: bool, *, both: bool = False
) -> socket.socket:
    try:
        # Sets SO_REUSEADDR, so that a restart does not wait for old connections to expire.
        return socket.create_server(
            (host, port),
            family=family,
            backlog=BACKLOG,
            reuse_port=reuse_port,
            dualstack_ipv6=both,
        )
    except OSError as error:
        # The plain text of the error: create_server adds the address, which the caller knows.
        number = error.errno or errno.EADDRNOTAVAIL
        raise OSError(number, os.strerror(number)) from error

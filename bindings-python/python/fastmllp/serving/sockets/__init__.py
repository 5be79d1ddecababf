"""Sockets, the same for every server, client and link: options, addresses, listening."""

"""New certificates without a restart."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from certificates import Authority
from conftest import AsyncServed, Serve
from fastmllp.link import Reconnect, SocketLink
from fastmllp.server import Server
from fastmllp.tls import client_context, server_context
from peers import DEADLINE, Peer


def identity_of(authority: Authority, name: str) -> ssl.SSLContext:
    identity = authority.issue(name)
    return server_context(identity.certificate, identity.key)


def reload_of(server: Any) -> Callable[[ssl.SSLContext], None]:
    if not isinstance(server, AsyncServed):
        return server.reload_tls  # type: ignore[no-any-return]
    return lambda context: server.call(lambda: server.server.reload_tls(context))


def test_new_connections_get_the_new_certificate(serve_all: Serve, authority: Authority) -> None:
    server = serve_all(tls=identity_of(authority, "old.test"))
    trusting = client_context(ca=authority.file)
    with Peer.secure(server.address, trusting, "old.test") as before:
        before.exchange("A")
        reload_of(server)(identity_of(authority, "new.test"))
        with Peer.secure(server.address, trusting, "new.test") as after:
            after.exchange("B")
        with pytest.raises(ssl.SSLCertVerificationError):
            Peer.secure(server.address, trusting, "old.test")
        before.exchange("C")


def test_context_for_the_other_end_changes_nothing(serve_all: Serve, authority: Authority) -> None:
    server = serve_all(tls=identity_of(authority, "old.test"))
    trusting = client_context(ca=authority.file)
    with pytest.raises(ValueError, match="server's end"):
        reload_of(server)(trusting)
    with Peer.secure(server.address, trusting, "old.test") as peer:
        peer.exchange("A")


def test_plain_port_stays_plain(serve_all: Serve, authority: Authority) -> None:
    server = serve_all()
    with pytest.raises(ValueError, match="does not speak TLS"):
        reload_of(server)(identity_of(authority, "new.test"))
    with Peer.connect(server.address) as peer:
        peer.exchange("A")


def test_reload_before_serving(authority: Authority) -> None:
    with Server(host="127.0.0.1", port=0, tls=identity_of(authority, "old.test")) as server:
        server.reload_tls(identity_of(authority, "new.test"))


def test_a_link_that_dials(authority: Authority, stranger: Authority) -> None:
    """It trusts no server that answers until the reload names the right authority."""

    def answer(listener: socket.socket) -> None:
        context = identity_of(authority, "analyzer.test")
        while True:
            accepted, _ = listener.accept()
            try:
                secured = context.wrap_socket(accepted, server_side=True)
                with Peer(secured) as peer:
                    peer.exchange("A")
                    return
            except OSError:
                accepted.close()

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(DEADLINE)
            link = SocketLink(
                None,
                *listener.getsockname(),
                mode="client",
                reconnect=Reconnect(first=0.05),
                tls=client_context(ca=stranger.file),
                server_hostname="analyzer.test",
            )
            async with link:
                answering = asyncio.create_task(asyncio.to_thread(answer, listener))
                with pytest.raises(ValueError, match="client's end"):
                    link.reload_tls(identity_of(authority, "new.test"))
                link.reload_tls(client_context(ca=authority.file))
                await answering

    asyncio.run(asyncio.wait_for(work(), DEADLINE))

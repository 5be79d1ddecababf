"""Protocols of their own on a link."""

import asyncio
import socket
from typing import Any

from certificates import Authority
from conftest import Records
from fastmllp.aio.connections import Connections
from fastmllp.link import LinkProtocol, SocketLink, register
from fastmllp.tls import client_context, server_context
from link_site import LIMIT, Site, run
from peers import Peer


class Echo(asyncio.Protocol):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        assert self._connections.takes(self, self._connections.next_number(), "peer")

    def data_received(self, data: bytes) -> None:
        alive = self._transport.get_extra_info("socket")
        assert alive.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        self._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.forget(self)

    def stop(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


class EchoProtocol:
    def __init__(self, handler: object, *, max_size: int, louder: bool, **_: object) -> None:
        assert max_size == LIMIT and louder

    def new_connection(self, connections: Connections) -> Echo:
        return Echo(connections)


def test_a_protocol_of_its_own(authority: Authority, records: Records) -> None:
    made: LinkProtocol = EchoProtocol(None, max_size=LIMIT, louder=True)
    assert made
    register("echo", EchoProtocol)

    async def work() -> None:
        for mode in ("server", "client"):
            async with Site(mode, None, protocol="echo", louder=True) as site:
                analyzer = await site.analyzer()
                analyzer.send(b"\x05")
                assert await asyncio.to_thread(analyzer.socket.recv, 1) == b"\x05"

    run(work)

    identity = authority.issue("localhost")
    tls = server_context(identity.certificate, identity.key)

    async def talk_securely() -> None:
        link = SocketLink(
            None, "127.0.0.1", 0, protocol="echo", louder=True, max_size=LIMIT, tls=tls
        )
        async with link:
            context = client_context(ca=authority.file)
            peer = await asyncio.to_thread(Peer.secure, link.address, context)
            with peer:
                peer.send(b"\x05")
                assert await asyncio.to_thread(peer.socket.recv, 1) == b"\x05"
            plain = await asyncio.to_thread(Peer.connect, link.address)
            with plain:
                plain.send(b"\x05\r\n" * 4)
                # The alert unexpected_message, and the end.
                end = await asyncio.to_thread(plain.receive_end)
                assert end == b"\x15\x03\x03\x00\x02\x02\x0a"
        assert "version=TLS" in records.wait_for("tls_established").getMessage()
        assert "reason=not_tls" in records.wait_for("tls_failed").getMessage()

    run(talk_securely)


def test_a_connection_that_was_just_made_ends_by_itself() -> None:
    links: list[SocketLink] = []

    class Farewell(asyncio.Protocol):
        def __init__(self, handler: object, **_: object) -> None:
            self._loop = asyncio.get_running_loop()

        def new_connection(self, connections: Connections) -> "Farewell":
            self._connections = connections
            return self

        def connection_made(self, transport: Any) -> None:
            self._transport = transport
            assert self._connections.takes(self, self._connections.next_number(), "peer")
            # The link does not know of the connection yet.
            assert links[0].state == "connecting"
            links[0].close()

        def connection_lost(self, error: Exception | None) -> None:
            self._connections.forget(self)

        def stop(self) -> None:
            self._loop.call_later(0.05, self._say_goodbye)

        def abort(self) -> None:
            self._transport.abort()

        def _say_goodbye(self) -> None:
            self._transport.write(b"goodbye")
            self._transport.close()

    register("farewell", Farewell)

    async def work() -> None:
        site = Site("client", None, protocol="farewell")
        links.append(site.link)
        async with site:
            running = asyncio.create_task(site.link.run())
            analyzer = await site.analyzer()
            assert await asyncio.to_thread(analyzer.receive_end) == b"goodbye"
            await running

    run(work)

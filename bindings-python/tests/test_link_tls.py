"""A link over TLS, in either mode."""

import asyncio
import socket
import ssl
import threading

import pytest
import trustme
from conftest import Records
from fastmllp.link import Reconnect, SocketLink
from peers import DEADLINE, Peer

CA = trustme.CA()


def server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert("analyzer.test").configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def test_a_link_that_listens() -> None:
    def talk(address: tuple[str, int]) -> None:
        plain = socket.create_connection(address, timeout=DEADLINE)
        with Peer(client_context().wrap_socket(plain, server_hostname="analyzer.test")) as peer:
            peer.exchange("A")
            peer.exchange("B")

    async def work() -> None:
        async with SocketLink(None, "127.0.0.1", 0, tls=server_context()) as link:
            await asyncio.to_thread(talk, link.address)

    asyncio.run(asyncio.wait_for(work(), DEADLINE))


@pytest.mark.parametrize("name", ["analyzer.test", "another.test"])
def test_a_link_that_dials(name: str, records: Records) -> None:
    talked = threading.Event()

    def talk(listener: socket.socket) -> None:
        try:
            accepted = server_context().wrap_socket(listener.accept()[0], server_side=True)
        except ssl.SSLError:
            return  # The link knows the name that it wants.
        with Peer(accepted) as peer:
            peer.exchange("A")
            peer.exchange("B")
            talked.set()

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(DEADLINE)
            link = SocketLink(
                None,
                *listener.getsockname(),
                mode="client",
                reconnect=Reconnect(first=60.0),
                tls=client_context(),
                server_hostname=name,
            )
            async with link:
                await asyncio.to_thread(talk, listener)
                await asyncio.to_thread(records.wait_for, "redial")
                assert link.state == "waiting"

    asyncio.run(asyncio.wait_for(work(), DEADLINE))
    assert talked.is_set() == (name == "analyzer.test")
    failures = [it for it in records.all() if it.__dict__["event"] == "dial_failed"]
    errors = [it.__dict__["fields"]["error"] for it in failures]
    assert errors == ([] if talked.is_set() else ["CERTIFICATE_VERIFY_FAILED"])

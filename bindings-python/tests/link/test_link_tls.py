"""A link over TLS, in either mode."""

import asyncio
import socket
import threading

import pytest
from certificates import Authority
from conftest import Records
from fastmllp.link import Reconnect, SocketLink
from fastmllp.tls import client_context, server_context
from peers import DEADLINE, Peer

NAME = "analyzer.test"


def test_a_link_that_listens(authority: Authority) -> None:
    identity = authority.issue(NAME)

    def talk(address: tuple[str, int]) -> None:
        plain = socket.create_connection(address, timeout=DEADLINE)
        context = client_context(ca=authority.file)
        with Peer(context.wrap_socket(plain, server_hostname=NAME)) as peer:
            peer.exchange("A")
            peer.exchange("B")

    async def work() -> None:
        tls = server_context(identity.certificate, identity.key)
        async with SocketLink(None, "127.0.0.1", 0, tls=tls) as link:
            await asyncio.to_thread(talk, link.address)

    asyncio.run(asyncio.wait_for(work(), DEADLINE))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (NAME, None),
        ("another.test", "its certificate is for another host name"),
        ("", "it closed the connection in the TLS handshake"),
    ],
)
def test_a_link_that_dials(
    name: str, error: str | None, authority: Authority, records: Records
) -> None:
    identity = authority.issue(NAME)
    talked = threading.Event()

    def talk(listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        if not name:
            with accepted:
                assert accepted.recv(65536)
            return
        context = server_context(identity.certificate, identity.key)
        try:
            secured = context.wrap_socket(accepted, server_side=True)
        except OSError:
            return  # The link knows the name that it wants.
        with Peer(secured) as peer:
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
                tls=client_context(ca=authority.file),
                server_hostname=name or NAME,
            )
            async with link:
                await asyncio.to_thread(talk, listener)
                await asyncio.to_thread(records.wait_for, "redial")
                assert link.state == "waiting"

    asyncio.run(asyncio.wait_for(work(), DEADLINE))
    assert talked.is_set() == (error is None)
    failures = [it for it in records.all() if it.__dict__["event"] == "dial_failed"]
    errors = [it.__dict__["fields"]["error"] for it in failures]
    assert errors == ([] if error is None else [error])

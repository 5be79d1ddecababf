"""A client that speaks TLS: the same exchange inside of it, and words for every mismatch."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable

import pytest
from certificates import Authority, Identity
from conftest import ClientClass, Records, Serve
from fastmllp import Message
from fastmllp.aio import connect
from fastmllp.client import ConnectError, ConnectionLost, NoReply
from fastmllp.tls import client_context, server_context
from fastmllp.tls.session import TlsSession
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def identity(authority: Authority) -> Identity:
    """Of the server."""
    return authority.issue("localhost", "127.0.0.1")


@pytest.fixture
def context(identity: Identity) -> ssl.SSLContext:
    """Of the server."""
    return server_context(identity.certificate, identity.key)


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """Of the client."""
    return client_context(ca=authority.file)


def secure(context: ssl.SSLContext, script: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """A script that is played inside of TLS, without leniency about its end."""

    def play(peer: Peer) -> None:
        wrapped = context.wrap_socket(peer.socket, server_side=True, suppress_ragged_eofs=False)
        with Peer(wrapped) as inside:
            script(inside)

    return play


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_and_replies(
    serve: Serve,
    context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    version: ssl.TLSVersion,
    client_class: ClientClass,
) -> None:
    context.maximum_version = version
    server = serve(tls=context)
    with client_class(*server.address, tls=trusting) as client:
        for number in range(20):
            assert client.send(message(str(number))).control_id == str(number)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [0, 300_000])
def test_messages_and_replies_on_asyncio(
    serve: Serve,
    records: Records,
    context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    version: ssl.TLSVersion,
    size: int,
) -> None:
    context.maximum_version = version
    server = serve(tls=context)

    async def send() -> None:
        async with connect(*server.address, tls=trusting) as client:
            for number in range(20):
                reply = await client.send(message(str(number), name="X" * size))
                assert reply.control_id == str(number)

    asyncio.run(send())
    assert "foreign_reply" not in [getattr(record, "event", "") for record in records.all()]


def test_large_message_and_large_answer(
    serve: Serve, context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    seen: list[bytes] = []
    answer = b"MSH|^~\\&|\rMSA|AA|A\rZZZ|" + bytes(range(65, 91)) * 200_000

    def handler(received: Message) -> bytes:
        seen.append(received.payload)
        return answer

    server = serve(handler, tls=context, max_size=6_000_000)
    payload = message("A") + bytes(range(97, 123)) * 200_000
    with client_class(*server.address, tls=trusting, max_size=6_000_000) as client:
        for _ in range(2):
            assert client.send(payload).payload == answer
    assert seen == [payload, payload]


def test_mutual_tls(
    serve: Serve, authority: Authority, identity: Identity, client_class: ClientClass
) -> None:
    own = authority.issue("client")
    server = serve(
        tls=server_context(
            identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
        )
    )
    known = client_context(ca=authority.file, certificate=own.certificate, key=own.key)
    with client_class(*server.address, tls=known) as client:
        assert client.send(message("A")).accepted


def test_client_says_goodbye(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))
        assert peer.receive_end() == b""

    with ScriptedServer(secure(context, script)) as server:
        with client_class(*server.address, tls=trusting) as client:
            assert client.send(message("A")).accepted


def test_reply_that_comes_with_the_end(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    """In one piece: the reply counts, and the next message goes over a new connection."""

    def script(peer: Peer) -> None:
        session = TlsSession(context, server_side=True)
        received = b""
        while not received.endswith(b"\x1c\r"):
            received += session.receive(peer.socket.recv(65536))
            peer.send(session.outgoing())
        session.write(framed(acknowledgment(received.split(b"|")[9].decode())))
        session.close()
        peer.send(session.outgoing())
        peer.receive_end()

    scripts = [script] * 3
    with ScriptedServer(*scripts) as server, client_class(*server.address, tls=trusting) as client:
        for control_id in "ABC":
            assert client.send(message(control_id)).control_id == control_id


@pytest.mark.parametrize("word", [True, False])
def test_connection_closed_while_idle_is_opened_again(
    context: ssl.SSLContext, trusting: ssl.SSLContext, word: bool, client_class: ClientClass
) -> None:
    answered, closed = threading.Event(), threading.Event()

    def first(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))
        assert answered.wait(DEADLINE)
        if word:
            peer.socket.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                peer.socket.unwrap()  # type: ignore[attr-defined]
        peer.socket.close()
        closed.set()

    def second(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("B")))

    scripts = secure(context, first), secure(context, second)
    with ScriptedServer(*scripts) as server, client_class(*server.address, tls=trusting) as client:
        assert client.send(message("A")).accepted
        answered.set()
        assert closed.wait(DEADLINE)
        assert client.send(message("B")).accepted


def test_server_closes_instead_of_answering(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A"))[:-10])

    with ScriptedServer(secure(context, script)) as server:
        with client_class(*server.address, tls=trusting) as client, pytest.raises(ConnectionLost):
            client.send(message("A"))


def test_server_that_does_not_answer(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        assert finished.wait(DEADLINE)

    with ScriptedServer(secure(context, script)) as server:
        with client_class(*server.address, tls=trusting, timeout=0.4) as client:
            with pytest.raises(NoReply) as caught:
                client.send(message("A"))
            assert "TLS" not in str(caught.value)
            finished.set()


def test_server_that_does_not_take_the_message(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        assert finished.wait(DEADLINE)

    with ScriptedServer(secure(context, script)) as server:
        with client_class(*server.address, tls=trusting, timeout=0.4) as client:
            with pytest.raises(NoReply):
                client.send(message("A").ljust(20_000_000, b"x"))
            finished.set()


# A server that speaks no TLS.


def test_plain_server(
    serve: Serve, records: Records, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    server = serve(timeout=0)
    with pytest.raises(ConnectError, match="does not speak TLS"):
        client_class(*server.address, tls=trusting).send(message("A"))
    assert "protocol=tls" in records.wait_for("wrong_protocol").getMessage()


@pytest.mark.parametrize("answer", [framed(acknowledgment("A")), b"\x15\r", b"login: "])
def test_plain_server_that_answers(
    trusting: ssl.SSLContext, answer: bytes, client_class: ClientClass
) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.send(answer.ljust(20))

    with ScriptedServer(script) as server:
        with pytest.raises(ConnectError, match="does not speak TLS"):
            client_class(*server.address, tls=trusting).connect()


def test_plain_server_that_stays_silent(
    trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server:
        with pytest.raises(ConnectError, match="in time; perhaps it does not speak TLS"):
            client_class(*server.address, tls=trusting, timeout=0.3).connect()
        finished.set()


def test_plain_server_that_drips(trusting: ssl.SSLContext, client_class: ClientClass) -> None:
    """The time for the handshake does not begin anew with every byte."""

    def script(peer: Peer) -> None:
        stop = threading.Event()
        with contextlib.suppress(OSError):
            peer.socket.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
            while not stop.wait(0.02):
                peer.socket.sendall(b"\x00")

    with ScriptedServer(script) as server:
        with pytest.raises(ConnectError, match="in time"):
            client_class(*server.address, tls=trusting, timeout=0.4).connect()


# A server that speaks TLS to a client that does not.


@pytest.mark.parametrize("size", [0, 20_000_000])
def test_plain_client(
    serve: Serve, context: ssl.SSLContext, size: int, client_class: ClientClass
) -> None:
    server = serve(tls=context)
    with client_class(*server.address) as client:
        with pytest.raises(ConnectionLost, match="expect TLS"):
            client.send(message("A").ljust(size, b"x"))


def test_plain_client_of_a_server_that_stays_connected(client_class: ClientClass) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        # In pieces, as a network may deliver it.
        peer.send(b"\x15")
        peer.send(b"\x03\x01\x00\x02\x02\x46")
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.4) as client:
        with pytest.raises(NoReply, match="expect TLS"):
            client.send(message("A"))
        finished.set()


def test_plain_client_of_a_server_that_resets(client_class: ClientClass) -> None:
    """It has said why, and then closed with the message unread."""

    def script(peer: Peer) -> None:
        assert peer.socket.recv(10)
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46")

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        with pytest.raises(ConnectionLost, match="expect TLS"):
            client.send(message("A").ljust(20_000_000, b"x"))


def test_answer_that_is_no_alert_gives_no_hint(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(b"\x15NAK\x15\x03")

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        with pytest.raises(ConnectionLost) as caught:
            client.send(message("A"))
    assert "TLS" not in str(caught.value)


def test_context_for_the_other_end(
    context: ssl.SSLContext, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    with pytest.raises(ValueError, match="client"):
        client_class("127.0.0.1", 2575, tls=context)
    with pytest.raises(ValueError):
        client_class("x" * 300, 2575, tls=trusting)

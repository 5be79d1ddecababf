"""Certificates that do not fit, on either side: what the client says of them."""

import socket
import ssl
from datetime import UTC, datetime

import pytest
from certificates import Authority, Identity
from conftest import ClientClass, Records, Serve
from fastmllp.client import Client, ConnectError, ConnectionLost, DeliveryError
from fastmllp.serving.stream import Stream
from fastmllp.tls import client_context, server_context
from fastmllp.tls.failure import TlsFailure
from fastmllp.tls.session import TlsSession
from peers import DEADLINE, Noting, Peer, ScriptedServer, message

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


def test_authority_is_not_known(
    serve: Serve, context: ssl.SSLContext, stranger: Authority, client_class: ClientClass
) -> None:
    server = serve(tls=context)
    with pytest.raises(ConnectError, match="authority that is not trusted"):
        client_class(*server.address, tls=client_context(ca=stranger.file)).connect()


def test_certificate_is_self_signed(
    serve: Serve, authority: Authority, client_class: ClientClass
) -> None:
    alone = authority.self_signed("localhost")
    server = serve(tls=server_context(alone.certificate, alone.key))
    with pytest.raises(ConnectError, match="self-signed"):
        client_class(*server.address, tls=client_context(ca=authority.file)).connect()
    trusted = client_context(ca=alone.certificate)
    with client_class(*server.address, tls=trusted, server_hostname="localhost") as client:
        assert client.send(message("A")).accepted


def test_certificate_has_expired(
    serve: Serve, authority: Authority, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    old = authority.issue("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    server = serve(tls=server_context(old.certificate, old.key))
    with pytest.raises(ConnectError, match="has expired"):
        client_class(*server.address, tls=trusting).connect()


def test_certificate_is_for_another_name(
    serve: Serve, authority: Authority, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    other = authority.issue("elsewhere.example")
    server = serve(tls=server_context(other.certificate, other.key))
    with pytest.raises(ConnectError, match="another address"):
        client_class(*server.address, tls=trusting).connect()
    with pytest.raises(ConnectError, match="another host name"):
        client_class(*server.address, tls=trusting, server_hostname="localhost").connect()
    with client_class(*server.address, tls=trusting, server_hostname="elsewhere.example") as client:
        assert client.send(message("A")).accepted
    careless = client_context(ca=authority.file, check_hostname=False)
    with client_class(*server.address, tls=careless) as client:
        assert client.send(message("A")).accepted


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [0, 20_000_000])
def test_certificate_of_the_client_is_missing(
    serve: Serve,
    records: Records,
    authority: Authority,
    identity: Identity,
    trusting: ssl.SSLContext,
    version: ssl.TLSVersion,
    size: int,
    client_class: ClientClass,
) -> None:
    """TLS 1.3 tells the client only after its handshake, when it may have written its message."""
    context = server_context(
        identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
    )
    context.maximum_version = version
    server = serve(tls=context)
    client = client_class(*server.address, tls=trusting)
    for _ in range(2):
        with pytest.raises(DeliveryError, match="requires a certificate") as caught:
            client.send(message("A").ljust(size, b"x"))
        assert isinstance(caught.value, ConnectError) == (caught.value.fate == "not_sent")
        assert version == ssl.TLSVersion.TLSv1_3 or isinstance(caught.value, ConnectError)
        assert records.wait_for("tls_failed").fields["reason"] == "certificate_required"  # type: ignore[attr-defined]


def test_certificate_of_the_client_is_not_trusted(
    serve: Serve,
    authority: Authority,
    stranger: Authority,
    identity: Identity,
    client_class: ClientClass,
) -> None:
    server = serve(
        tls=server_context(
            identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
        )
    )
    own = stranger.issue("client")
    unknown = client_context(ca=authority.file, certificate=own.certificate, key=own.key)
    with pytest.raises(DeliveryError, match="does not trust the authority of our certificate"):
        client_class(*server.address, tls=unknown).send(message("A"))


def test_refusal_after_the_message_proves_nothing(
    authority: Authority, identity: Identity, trusting: ssl.SSLContext, client_class: ClientClass
) -> None:
    """The server has all of the message when it refuses our certificate, and may have read it."""
    context = server_context(
        identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    def script(peer: Peer) -> None:
        session = TlsSession(context, server_side=True)
        session.receive(peer.socket.recv(65_536))
        peer.send(session.outgoing())
        held = b""
        while len(held) < 10_000:
            held += peer.socket.recv(65_536)
        session.receive(held)
        peer.send(session.outgoing())

    waits = Noting()
    with ScriptedServer(script, script) as server:
        client = client_class(*server.address, tls=trusting, back_off=waits)
        for _ in range(2):
            with pytest.raises(ConnectionLost, match="requires a certificate of ours") as caught:
                client.send(message("A").ljust(10_000, b"x"))
            assert caught.value.fate == "uncertain"
    # Each counts as an attempt that has failed, and the waits grow.
    assert waits.attempts == [0, 1]


class Refused(Stream):
    """One reply, then the alert of a server that thinks again of our certificate."""

    replies = 1
    refusal: TlsFailure | None = None

    @property
    def failure(self) -> TlsFailure | None:
        return self.refusal

    def receive(self) -> bytes:
        if self.replies:
            data = super().receive()
            self.replies -= 1
            return data
        self.refusal = TlsFailure("alert_certificate_revoked", "it says so")
        self.is_ended = True
        return b""


def test_refusal_after_a_reply_is_a_loss(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, trusting: ssl.SSLContext
) -> None:
    """Whether the second message was read, nobody knows."""
    server = serve()
    client = Client(*server.address, tls=trusting)
    raw = socket.create_connection(server.address, timeout=DEADLINE)
    monkeypatch.setattr("fastmllp.client.client.dial", lambda *arguments: (Refused(raw), b""))
    monkeypatch.setattr(client, "_is_undisturbed", lambda: True)
    assert client.send(message("A")).accepted
    with pytest.raises(ConnectionLost, match="it says so"):
        client.send(message("B"))

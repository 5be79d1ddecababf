"""Both ends of TLS without a socket: what goes in comes out, and a failure has a name."""

import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from certificates import Authority
from fastmllp.tls import client_context, server_context
from fastmllp.tls.failure import TlsFailure
from fastmllp.tls.session import TlsSession
from peers import framed, message
from tls_wire import exchange

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Ends:
    """The contexts of both ends, to be spoilt by a test."""

    def __init__(self, authority: Authority) -> None:
        self.identity = authority.issue("localhost", "127.0.0.1")
        self.server = server_context(self.identity.certificate, self.identity.key)
        self.client = client_context(ca=authority.file)

    def sessions(self, name: str = "localhost") -> tuple[TlsSession, TlsSession]:
        client = TlsSession(self.client, server_hostname=name)
        return client, TlsSession(self.server, server_side=True)

    def fail(self, name: str = "localhost") -> tuple[TlsFailure | None, TlsFailure | None]:
        """Why the client and why the server give up."""
        client, server = self.sessions(name)
        exchange(client, server)
        return client.failure, server.failure

    def codes(self, name: str = "localhost") -> tuple[str, str]:
        failures = self.fail(name)
        return failures[0].code if failures[0] else "", failures[1].code if failures[1] else ""


@pytest.fixture
def ends(authority: Authority) -> Ends:
    return Ends(authority)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("step", [1, 7, 1 << 30])
def test_bytes_of_both_ends(ends: Ends, version: ssl.TLSVersion, step: int) -> None:
    ends.server.maximum_version = version
    client, server = ends.sessions()
    assert not client.is_open and client.version == "" and client.unsent > 0
    assert exchange(client, server, step) == (b"", b"")
    assert client.is_open and server.is_open
    assert client.version == server.version == version.name.replace("_", ".")
    long = bytes(range(256)) * 400
    client.write(long)
    client.write(b"")
    server.write(b"answer")
    assert exchange(client, server, step) == (b"answer", long)
    client.close()
    assert exchange(client, server, step) == (b"", b"")
    assert server.is_ended and server.failure is None
    assert not client.is_ended and client.failure is None
    # One end is done; the other may still speak.
    server.write(b"last")
    assert server.unsent > 4


@pytest.mark.parametrize("version", VERSIONS)
def test_message_in_one_piece_with_the_end_of_the_handshake(
    ends: Ends, version: ssl.TLSVersion
) -> None:
    ends.server.maximum_version = version
    client, server = ends.sessions()
    while not client.is_open:
        server.receive(client.outgoing())
        client.receive(server.outgoing())
    client.write(framed(message("A")))
    client.close()
    assert server.receive(client.outgoing()) == framed(message("A"))
    assert server.is_open and server.is_ended and server.receive(b"more") == b""


def test_what_came_before_a_failure_is_not_lost(ends: Ends) -> None:
    client, server = ends.sessions()
    exchange(client, server)
    client.write(framed(message("A")))
    assert server.receive(client.outgoing() + b"\x17\x03\x03\x00\x05xxxxx") == framed(message("A"))
    assert server.is_ended and server.failure is not None
    assert not server.failure.is_about_our_certificate
    with pytest.raises(ssl.SSLError):
        server.write(b"answer")


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (framed(message("A")), "plain_mllp"),
        (message("A"), "plain_mllp"),
        (b"GET / HTTP/1.1\r\n\r\n", "http"),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", "http"),
        (b"\x05" * 30, "not_tls"),
    ],
)
@pytest.mark.parametrize("step", [1, 1 << 30])
def test_peer_that_does_not_speak_tls(ends: Ends, first: bytes, code: str, step: int) -> None:
    _, server = ends.sessions()
    for start in range(0, len(first), step):
        assert server.receive(first[start : start + step]) == b""
    assert server.is_ended and server.failure is not None and server.failure.code == code
    assert server.outgoing() == b"\x15\x03\x03\x00\x02\x02\x0a"
    assert "4711" not in repr(server.failure)


def test_server_that_does_not_speak_tls(ends: Ends) -> None:
    client, _ = ends.sessions()
    hello = client.unsent
    client.receive(framed(message("A")))
    assert client.failure is not None and client.failure.code == "plain_mllp"
    assert "does not speak TLS" in client.failure.text and client.unsent == hello


def old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def test_client_that_is_too_old(ends: Ends) -> None:
    old(ends.client)
    assert ends.codes() == ("alert_protocol_version", "protocol_too_old")


def test_server_that_is_too_old(ends: Ends) -> None:
    old(ends.server)
    client, _ = ends.fail()
    assert client is not None and "version of TLS" in client.text


def test_no_cipher_in_common(ends: Ends) -> None:
    for context, length in ((ends.client, 128), (ends.server, 256)):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"ECDHE+AES{length}")
    assert ends.codes() == ("alert_handshake_failure", "no_shared_cipher")


def test_authority_of_the_server_is_not_known(ends: Ends, stranger: Authority) -> None:
    ends.client = client_context(ca=stranger.file)
    assert ends.codes() == ("unknown_ca", "alert_unknown_ca")


def test_name_of_the_server_is_another(ends: Ends) -> None:
    assert ends.codes("elsewhere.example") == ("host_mismatch", "alert_bad_certificate")
    assert ends.codes("127.0.0.2") == ("host_mismatch", "alert_bad_certificate")
    assert ends.codes("127.0.0.1") == ("", "")
    ends.client.check_hostname = False
    assert ends.codes("elsewhere.example") == ("", "")


def test_certificate_of_the_server_has_expired(ends: Ends, authority: Authority) -> None:
    expired = authority.issue("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    ends.server = server_context(expired.certificate, expired.key)
    assert ends.codes() == ("certificate_expired", "alert_certificate_expired")


def test_certificate_of_the_server_is_self_signed(ends: Ends, stranger: Authority) -> None:
    alone = stranger.self_signed("localhost")
    ends.server = server_context(alone.certificate, alone.key)
    assert ends.codes() == ("self_signed", "alert_unknown_ca")
    ends.client = client_context(ca=alone.certificate)
    assert ends.codes() == ("", "")


@pytest.mark.parametrize("version", VERSIONS)
def test_client_certificates(
    ends: Ends, authority: Authority, stranger: Authority, version: ssl.TLSVersion
) -> None:
    identity, files = ends.identity, authority.file
    ends.server = server_context(
        identity.certificate, identity.key, ca=files, require_client_certificate=True
    )
    ends.server.maximum_version = version
    client, server = ends.fail()
    assert client is not None and server is not None and server.code == "certificate_required"
    assert "requires a certificate" in client.text and client.is_about_our_certificate
    foreign, own = stranger.issue("client"), authority.issue("client")
    ends.client = client_context(ca=files, certificate=foreign.certificate, key=foreign.key)
    client, server = ends.fail()
    assert client is not None and server is not None and server.code == "unknown_ca"
    assert client.code == "alert_unknown_ca" and client.is_about_our_certificate
    ends.client = client_context(ca=files, certificate=own.certificate, key=own.key)
    assert ends.codes() == ("", "")
    # One that is not asked for may be there or not, but not be of anybody.
    ends.server = server_context(identity.certificate, identity.key, ca=files)
    assert ends.codes() == ("", "")
    ends.client = client_context(ca=files)
    assert ends.codes() == ("", "")
    ends.client = client_context(ca=files, certificate=foreign.certificate, key=foreign.key)
    assert ends.codes() == ("alert_unknown_ca", "unknown_ca")


WRONG: list[Callable[[Ends], TlsSession]] = [
    lambda ends: TlsSession(ends.client, server_side=True),
    lambda ends: TlsSession(ends.server, server_hostname="localhost"),
    lambda ends: TlsSession(ends.client, server_hostname=""),
    lambda ends: TlsSession(ends.client, server_hostname=".example"),
    lambda ends: TlsSession(ends.client, server_hostname="x" * 300),
    lambda ends: TlsSession(ends.client, server_hostname=None),
]


@pytest.mark.parametrize("make", WRONG)
def test_settings_that_do_not_fit(ends: Ends, make: Callable[[Ends], TlsSession]) -> None:
    with pytest.raises(ValueError):
        make(ends)

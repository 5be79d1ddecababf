"""Certificates at a server that speaks TLS: who is taken, and a name for every mismatch."""

import logging
import ssl
import warnings
from collections.abc import Callable

import pytest
from certificates import Authority
from conftest import Records, Serve
from fastmllp.tls import client_context, server_context
from peers import Peer, framed, message

Spoil = Callable[[ssl.SSLContext, Authority, Authority], None]


def forget_everybody(context: ssl.SSLContext, authority: Authority, stranger: Authority) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    identity = stranger.issue("client")
    context.load_cert_chain(identity.certificate, identity.key)


def grow_old(context: ssl.SSLContext, authority: Authority, stranger: Authority) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda context, authority, stranger: None, "certificate_required"),
        (forget_everybody, "unknown_ca"),
        (grow_old, "protocol_too_old"),
    ],
)
def test_client_that_is_refused(
    serve_all: Serve,
    records: Records,
    authority: Authority,
    stranger: Authority,
    spoil: Spoil,
    reason: str,
) -> None:
    identity = authority.issue("localhost")
    server = serve_all(
        tls=server_context(
            identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
        )
    )
    trusting = client_context(ca=authority.file)
    spoil(trusting, authority, stranger)
    with pytest.raises(ssl.SSLError, match="ALERT"):
        with Peer.secure(server.address, trusting) as peer:
            peer.send(framed(message("A")))
            peer.receive_end()
    failed = records.wait_for("tls_failed")
    assert failed.levelno == logging.WARNING
    assert failed.fields["reason"] == reason  # type: ignore[attr-defined]
    assert records.wait_for("disconnect").fields["reason"] == "tls_failed"  # type: ignore[attr-defined]
    assert "message_received" not in [record.event for record in records.all()]  # type: ignore[attr-defined]


def test_mutual_tls(serve_all: Serve, authority: Authority) -> None:
    identity, own = authority.issue("localhost"), authority.issue("client")
    server = serve_all(
        tls=server_context(
            identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
        )
    )
    known = client_context(ca=authority.file, certificate=own.certificate, key=own.key)
    with Peer.secure(server.address, known) as peer:
        peer.exchange("A")


def test_client_that_does_not_trust_the_server(
    serve_all: Serve, records: Records, authority: Authority, stranger: Authority
) -> None:
    identity = authority.issue("localhost", "127.0.0.1")
    server = serve_all(tls=server_context(identity.certificate, identity.key))
    with pytest.raises(ssl.SSLCertVerificationError):
        Peer.secure(server.address, client_context(ca=stranger.file))
    failed = records.wait_for("tls_failed")
    assert failed.fields["reason"] == "alert_unknown_ca"  # type: ignore[attr-defined]
    assert "does not trust" in failed.getMessage()

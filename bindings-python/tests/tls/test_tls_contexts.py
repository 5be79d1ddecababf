"""TLS contexts made of files: which file is wrong, and what is wrong with it."""

import ssl
from collections.abc import Callable
from pathlib import Path

import fastmllp
import pytest
from certificates import Authority, Identity
from cryptography.hazmat.primitives import serialization
from fastmllp.tls import TlsError, client_context, server_context


@pytest.fixture
def identity(authority: Authority) -> Identity:
    return authority.issue("localhost")


def test_server_context(authority: Authority, identity: Identity) -> None:
    context = server_context(identity.certificate, identity.key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE and context.options & ssl.OP_NO_RENEGOTIATION
    optional = server_context(identity.certificate, identity.key, ca=authority.file)
    assert optional.verify_mode == ssl.CERT_OPTIONAL
    mutual = server_context(
        str(identity.certificate),
        str(identity.key),
        ca=str(authority.file),
        require_client_certificate=True,
    )
    assert mutual.verify_mode == ssl.CERT_REQUIRED and mutual.cert_store_stats()["x509_ca"] == 1


def test_client_context(authority: Authority, identity: Identity) -> None:
    context = client_context(ca=authority.file)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 1
    unnamed = client_context(check_hostname=False)
    assert unnamed.verify_mode == ssl.CERT_REQUIRED and not unnamed.check_hostname
    client_context(certificate=identity.certificate, key=identity.key)


def test_key_in_the_file_of_the_certificate(identity: Identity, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(identity.key.read_bytes() + identity.certificate.read_bytes())
    client_context(certificate=both)
    server_context(both, both)


def damaged(file: Path, tmp_path: Path) -> Path:
    """PEM on the outside only."""
    lines = file.read_bytes().splitlines()
    copy = tmp_path / "damaged.pem"
    copy.write_bytes(b"\n".join([lines[0], b"AAAA" * 10, lines[-1]]) + b"\n")
    return copy


def encrypted(key: Path, tmp_path: Path) -> Path:
    plain = serialization.load_pem_private_key(key.read_bytes(), password=None)
    copy = tmp_path / "encrypted.pem"
    copy.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return copy


Choose = Callable[[Identity, Identity, Path], tuple[Path, Path, Path]]


@pytest.mark.parametrize(
    ("wrong", "code", "choose"),
    [
        ("certificate", "not_readable", lambda i, o, t: (t / "none", i.key, t / "none")),
        ("key", "not_readable", lambda i, o, t: (i.certificate, t / "none", t / "none")),
        ("certificate", "not_readable", lambda i, o, t: (t, i.key, t)),
        ("certificate", "not_readable", lambda i, o, t: (Path("a\0b"), i.key, Path("a\0b"))),
        ("certificate", "not_pem", lambda i, o, t: (i.key, i.key, i.key)),
        ("key", "not_pem", lambda i, o, t: (i.certificate, i.certificate, i.certificate)),
        ("key", "key_mismatch", lambda i, o, t: (i.certificate, o.key, o.key)),
        (
            "certificate",
            "damaged",
            lambda i, o, t: (damaged(i.certificate, t), i.key, t / "damaged.pem"),
        ),
        ("key", "damaged", lambda i, o, t: (i.certificate, damaged(i.key, t), t / "damaged.pem")),
        (
            "key",
            "encrypted",
            lambda i, o, t: (i.certificate, encrypted(i.key, t), t / "encrypted.pem"),
        ),
    ],
)
def test_file_that_cannot_be_used(
    authority: Authority, identity: Identity, tmp_path: Path, wrong: str, code: str, choose: Choose
) -> None:
    certificate, key, named = choose(identity, authority.issue("other"), tmp_path)
    for make in (
        lambda: server_context(certificate, key),
        lambda: client_context(certificate=certificate, key=key),
    ):
        with pytest.raises(TlsError) as caught:
            make()
        assert caught.value.code == code
        assert str(caught.value).startswith(f"{wrong} {named}: ")
        assert isinstance(caught.value, fastmllp.MllpError)


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("not_readable", lambda i, t: t / "none"),
        ("not_pem", lambda i, t: i.key),
        ("damaged", lambda i, t: damaged(i.certificate, t)),
    ],
)
def test_ca_file_that_cannot_be_used(
    identity: Identity, tmp_path: Path, code: str, make: Callable[[Identity, Path], Path]
) -> None:
    ca = make(identity, tmp_path)
    for context in (
        lambda: server_context(identity.certificate, identity.key, ca=ca),
        lambda: client_context(ca=ca),
    ):
        with pytest.raises(TlsError, match="CA file") as caught:
            context()
        assert caught.value.code == code and str(ca) in str(caught.value)


def test_choices_that_do_not_fit(identity: Identity) -> None:
    with pytest.raises(TlsError) as caught:
        server_context(identity.certificate, identity.key, require_client_certificate=True)
    assert caught.value.code == "no_ca"
    with pytest.raises(TlsError) as caught:
        client_context(key=identity.key)
    assert caught.value.code == "no_certificate"


def test_errors_never_show_the_key(identity: Identity, tmp_path: Path) -> None:
    swapped = identity.key.read_bytes()
    lines = swapped.decode().splitlines()
    file = tmp_path / "key.pem"
    file.write_text("\n".join([lines[0], lines[1][:-4] + "!!!!", *lines[2:]]))
    with pytest.raises(TlsError) as caught:
        server_context(identity.certificate, file)
    chain = [caught.value, caught.value.__cause__]
    assert all(line not in f"{error!s}{error!r}" for line in lines[1:-1] for error in chain)

"""A context out of PEM files, and what is wrong with one of them."""

import os
import ssl
from pathlib import Path
from typing import NoReturn, TypeAlias

from fastmllp._native import MllpError

__all__ = ["TlsError", "client_context", "server_context"]

File: TypeAlias = str | os.PathLike[str]

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_KEY = b"PRIVATE KEY-----"


class TlsError(MllpError, ValueError):
    """A certificate, a key or a choice of them that cannot be used. ``code`` names the reason.

    ``not_readable``: the file is missing or may not be read. ``not_pem``: it holds no certificate,
    or no key, in PEM form. ``damaged``: it holds one that cannot be decoded. ``encrypted``: the key
    needs a password. ``key_mismatch``: the key does not belong to the certificate.
    ``no_certificate``: a key was given without a certificate. ``no_ca``: client certificates are
    required, but not whose.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def server_context(
    certificate: File,
    key: File,
    *,
    ca: File | None = None,
    require_client_certificate: bool = False,
) -> ssl.SSLContext:
    """Make the context of a server.

    Args:
        certificate: PEM file with the server's certificate, and behind it those of the authorities
            between it and the root.
        key: PEM file with the private key, without a password.
        ca: PEM file with the authorities whose client certificates are accepted. A client that
            shows a certificate of another one is refused.
        require_client_certificate: Refuse a client without a certificate as well: mutual TLS.

    Raises:
        TlsError: A file cannot be used, or mutual TLS is wanted without `ca`.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    _load_identity(context, certificate, key)
    if ca is not None:
        _load_authorities(context, ca)
        required = require_client_certificate
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    elif require_client_certificate:
        raise TlsError("no_ca", "client certificates are required, but no CA file says whose")
    return context


def client_context(
    *,
    ca: File | None = None,
    certificate: File | None = None,
    key: File | None = None,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    """Make the context of a client. The server's certificate is checked in every case.

    Args:
        ca: PEM file with the authorities, or the self-signed certificate, that are trusted; without
            one, those that the system trusts.
        certificate: PEM file with the client's certificate, for mutual TLS.
        key: PEM file with its private key, without a password; without one, `certificate` holds it.
        check_hostname: Whether the certificate must be for the host that is spoken to.

    Raises:
        TlsError: A file cannot be used, or a key is given without a certificate.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    if ca is not None:
        _load_authorities(context, ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if certificate is not None:
        _load_identity(context, certificate, certificate if key is None else key)
    elif key is not None:
        raise TlsError("no_certificate", f"key {key}: given without a certificate")
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Peers do not renegotiate in practice, and attackers have used it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _load_identity(context: ssl.SSLContext, certificate: File, key: File) -> None:
    if _CERTIFICATE not in _read("certificate", certificate):
        raise TlsError("not_pem", f"certificate {certificate}: no certificate in PEM form")
    if _KEY not in _read("key", key):
        raise TlsError("not_pem", f"key {key}: no private key in PEM form")

    def refuse() -> NoReturn:
        # Otherwise OpenSSL asks for the password at the terminal.
        raise TlsError("encrypted", f"key {key}: needs a password")

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            text = f"key {key}: does not belong to the certificate {certificate}"
            raise TlsError("key_mismatch", text) from error
        # OpenSSL does not say which of the two it is.
        if not _decodes(certificate):
            text = f"certificate {certificate}: cannot be decoded"
        else:
            text = f"key {key}: cannot be decoded"
        raise TlsError("damaged", text) from error


def _load_authorities(context: ssl.SSLContext, ca: File) -> None:
    if _CERTIFICATE not in _read("CA file", ca):
        raise TlsError("not_pem", f"CA file {ca}: no certificate in PEM form")
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise TlsError("damaged", f"CA file {ca}: cannot be decoded") from error


def _decodes(certificate: File) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return False
    return True


def _read(what: str, file: File) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise TlsError("not_readable", f"{what} {file}: {error.strerror}") from error
    except ValueError as error:  # A NUL in the name.
        raise TlsError("not_readable", f"{what} {file}: not a file name") from error

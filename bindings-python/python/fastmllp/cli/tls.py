"""TLS contexts that settings ask for."""

import ssl
from typing import Any, cast

from fastmllp.client.options import ClientKeywords
from fastmllp.config import ConfigError
from fastmllp.config.options import names_of
from fastmllp.tls import TlsError, client_context, server_context


def server_tls(server: dict[str, Any]) -> ssl.SSLContext | None:
    """The context of a server; None for none.

    Args:
        server: The settings of the section, by key.

    Raises:
        ConfigError: The settings ask for TLS, but not for all that it needs, or a file cannot be
            used. Nothing that was asked for is left out: the server would be open.
    """
    certificate, key, ca, required = (
        server[name]
        for name in ("tls_certificate", "tls_key", "tls_ca", "tls_require_client_certificate")
    )
    if not (certificate or key or ca or required):
        return None
    if not (certificate and key):
        raise ConfigError("[server] TLS needs both tls_certificate and tls_key")
    try:
        return server_context(certificate, key, ca=ca or None, require_client_certificate=required)
    except TlsError as error:
        raise ConfigError(f"[server] {error}") from error


def client_options(client: dict[str, Any]) -> ClientKeywords:
    """The options of a client, but for its address; TLS among them if it is asked for.

    Args:
        client: The settings of the section, by key.

    Raises:
        ConfigError: As for `server_tls`.
    """
    # `tls` is a word of both, and means a context there.
    names = (names_of(ClientKeywords) & client.keys()) - {"tls"}
    options = cast(ClientKeywords, {name: client[name] for name in names})
    ca, certificate, key, name = (
        client[key] for key in ("tls_ca", "tls_certificate", "tls_key", "tls_server_name")
    )
    if not client["tls"]:
        if ca or certificate or key or name:
            raise ConfigError("[client] tls must be true where other settings of TLS are given")
        return options
    try:
        context = client_context(ca=ca or None, certificate=certificate or None, key=key or None)
    except TlsError as error:
        raise ConfigError(f"[client] {error}") from error
    return {**options, "tls": context, "server_hostname": name or None}

"""Every setting: its name, default, meaning, bounds.

Flags, environment variables, the check of a settings file, the output of ``fastmllp config`` and
the page ``docs/settings.md`` are all derived from `SETTINGS`.
"""

import os
from collections.abc import Iterable, Mapping
from typing import get_args

from fastmllp.config import bounds
from fastmllp.config.allow import AllowList
from fastmllp.config.options import OverLimit, Policy, Profile, ProxyProtocol, Scan
from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import Settings, SettingsTable
from fastmllp.logging import Log

SCANS: tuple[str, ...] = get_args(Scan)
SCAN_MEANING = (
    "how delimiters are told from the bytes of two-byte characters; `auto` follows MSH-18"
)


def _check_allow(name: str, value: tuple[str, ...]) -> None:
    try:
        # None at all is the default. A source that gives none is refused by `never_empty`.
        AllowList(value or None)
    except ValueError as error:
        # Its text begins with the name of the option, which is that of the key.
        raise ValueError(name.removesuffix("allow") + str(error)) from error


def _check_name(name: str, value: str) -> None:
    try:
        Log(value)
    except ValueError as error:
        raise ValueError(name.removesuffix("name") + str(error)) from error


def _check_host(name: str, value: str) -> None:
    # The system reads an empty host as every address, which cannot be what was meant.
    if not value.strip():
        raise ValueError(f"{name} must not be empty")


_ROWS = (
    Setting(
        "server",
        "host",
        "0.0.0.0",
        "address or name to listen on, `*` for IPv4 and IPv6, `::` for IPv6 only",
        check_text=_check_host,
        never_empty=True,
    ),
    Setting(
        "server",
        "port",
        bounds.DEFAULT_PORT,
        "TCP port to listen on, 0 for a free one",
        bounds.PORT,
    ),
    Setting(
        "server",
        "timeout",
        bounds.DEFAULT_TIMEOUT,
        "idle seconds after which a connection is closed, 0 for never",
        bounds.SECONDS,
    ),
    Setting(
        "server",
        "encoding",
        "utf-8",
        "character set of acknowledgments that a handler returns as text",
        check_text=bounds.encoding,
        placeholder="NAME",
    ),
    Setting(
        "server",
        "max_size",
        bounds.DEFAULT_MAX_SIZE,
        "largest payload taken from a peer, framing bytes not counted",
        bounds.BYTES,
        never_empty=True,
    ),
    Setting(
        "server",
        "frame_timeout",
        bounds.DEFAULT_FRAME_TIMEOUT,
        "seconds that a frame may take from its first byte on, 0 for any time",
        bounds.SECONDS,
    ),
    Setting(
        "server",
        "max_connections",
        bounds.DEFAULT_MAX_CONNECTIONS,
        "connections served at a time; further ones are closed at once",
        bounds.CONNECTIONS,
        never_empty=True,
    ),
    Setting(
        "server",
        "profile",
        "permissive",
        "framing rules",
        choices=get_args(Profile),
    ),
    Setting("server", "scan", "single_byte", SCAN_MEANING, choices=SCANS),
    Setting(
        "server",
        "policy",
        "always",
        "acknowledgments: `always` answers every frame, `conformant` as HL7 v2 chapter 2 says",
        choices=get_args(Policy),
    ),
    Setting(
        "server",
        "over_limit",
        "close",
        "what a frame above `max_size` gets: its connection closed, or an AR",
        choices=get_args(OverLimit),
    ),
    Setting(
        "server",
        "allow",
        (),
        "networks that may connect, such as `10.1.0.0/16`; not set: any peer may",
        check_text=_check_allow,
        placeholder="NETWORKS",
        never_empty=True,
    ),
    Setting(
        "server",
        "proxy_protocol",
        "off",
        "`required` behind a proxy that begins each connection with the address of the peer",
        choices=get_args(ProxyProtocol),
        never_empty=True,
    ),
    Setting(
        "server",
        "name",
        "",
        "what records and metrics call this server, to tell it from others",
        check_text=_check_name,
    ),
    Setting(
        "server",
        "stop_timeout",
        bounds.DEFAULT_STOP_TIMEOUT,
        "seconds that a stop waits for connections before it ends them, 0 for ever",
        bounds.SECONDS,
    ),
    Setting(
        "server",
        "local_time",
        False,
        "write local time with its offset into MSH-7 of acknowledgments, instead of UTC",
    ),
    Setting("server", "workers", 1, "processes that share the port", bounds.WORKERS),
    Setting(
        "server",
        "save",
        "",
        "folder in which each message is stored before it is acknowledged",
        placeholder="DIR",
        never_empty=True,
    ),
    Setting(
        "server",
        "tls_certificate",
        "",
        "certificate chain of the server, PEM; turns TLS on",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "server",
        "tls_key",
        "",
        "private key of the certificate, PEM",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "server",
        "tls_ca",
        "",
        "certificate authorities that clients are checked against, PEM",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "server",
        "tls_require_client_certificate",
        False,
        "refuse clients without a certificate of `tls_ca`",
        never_empty=True,
    ),
    Setting("client", "host", "127.0.0.1", "address or name of the server", check_text=_check_host),
    Setting("client", "port", bounds.DEFAULT_PORT, "TCP port of the server", bounds.PORT),
    Setting(
        "client",
        "timeout",
        bounds.DEFAULT_TIMEOUT,
        "seconds to connect and to wait for each answer, 0 for ever",
        bounds.SECONDS,
    ),
    Setting(
        "client",
        "encoding",
        "utf-8",
        "character set of messages given as text, and in which replies are shown",
        check_text=bounds.encoding,
        placeholder="NAME",
    ),
    Setting(
        "client",
        "max_size",
        bounds.DEFAULT_MAX_SIZE,
        "largest payload taken from the server",
        bounds.BYTES,
        never_empty=True,
    ),
    Setting("client", "scan", "single_byte", SCAN_MEANING, choices=SCANS),
    Setting("client", "tls", False, "connect with TLS", never_empty=True),
    Setting(
        "client",
        "tls_ca",
        "",
        "certificate authorities that the server is checked against, PEM; the system's if not set",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "client",
        "tls_certificate",
        "",
        "certificate chain of the client, PEM",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "client",
        "tls_key",
        "",
        "private key of the certificate, PEM",
        placeholder="FILE",
        never_empty=True,
    ),
    Setting(
        "client",
        "tls_server_name",
        "",
        "name in the server's certificate, where it is not `host`",
        placeholder="NAME",
        never_empty=True,
    ),
    Setting(
        "logging",
        "log_level",
        "info",
        "lowest level of the log records that are written",
        choices=("debug", "info", "warning", "error", "critical"),
    ),
    Setting("logging", "log_message", False, "write payloads, which are health data, into the log"),
    Setting("logging", "log_format", "text", "form of the log", choices=("text", "json")),
    Setting(
        "logging",
        "log_file",
        "",
        "file that records are appended to, in place of standard error; SIGHUP opens it again",
        placeholder="FILE",
    ),
    Setting(
        "metrics",
        "metrics_host",
        "127.0.0.1",
        "address at which counters are offered over HTTP",
        check_text=_check_host,
        never_empty=True,
    ),
    Setting("metrics", "metrics_port", 0, "TCP port of the counters, 0 for none", bounds.PORT),
)

TABLE = SettingsTable(
    _ROWS,
    other_prefixes=("FASTMLLP_ENGINE_", "FASTMLLP_VALUE_"),
    section_prefixes={"logging": "log_", "metrics": "metrics_"},
    section_heads={
        "server": "Of `fastmllp serve`.",
        "client": "Of `fastmllp send`.",
        "logging": "Of `serve` and `send`. Log records go to standard error, unless `log_file`"
        " is set.\n`send` writes warnings and errors only, unless `log_level` is set.",
        "metrics": "Of `fastmllp serve`.",
    },
)
"""The settings of this program."""
SETTINGS: tuple[Setting, ...] = TABLE.settings
SECTIONS: tuple[str, ...] = TABLE.sections


def load(
    sections: Iterable[str] = SECTIONS,
    *,
    flags: Mapping[tuple[str, str], Value] | None = None,
    file: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Find the effective settings of this program: `SettingsTable.load` of its table."""
    return TABLE.load(sections, flags=flags, file=file, environment=environment)

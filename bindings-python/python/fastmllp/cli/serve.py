"""``fastmllp serve``: acknowledge every message."""

import argparse
import contextlib
import ssl
from types import FrameType
from typing import Any

from fastmllp.cli.flags import Commands, add_settings, configure_logging, settings_of
from fastmllp.cli.output import complain, show
from fastmllp.cli.reload import Reload
from fastmllp.cli.signals import HANG_UP, STOPPING, heed, ignore
from fastmllp.cli.status import CANNOT_LISTEN, STOPPED
from fastmllp.cli.workers import OnListening, Workers
from fastmllp.config import ConfigError, Settings
from fastmllp.saving import SaveTo
from fastmllp.server import Server
from fastmllp.serving.sockets.addresses import place

# Settings of the command that `Server` knows under another name or not at all.
_OF_THE_COMMAND = frozenset(
    {
        "workers",
        "save",
        "tls_certificate",
        "tls_key",
        "tls_ca",
        "tls_require_client_certificate",
    }
)


class _CannotServe(Exception):
    """What is needed for serving cannot be had. The text is one line."""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "serve",
        usage="fastmllp serve [OPTION ...]",
        allow_abbrev=False,
        help="acknowledge every message",
        description="Acknowledge every complete frame, with --save only after it is stored. Prints"
        " 'listening HOST:PORT' when it listens; log records go to standard error or to --log-file."
        " SIGINT and SIGTERM end it after everything received is answered; SIGHUP opens the log"
        " file again and reloads the certificates. Exit status: 0 stopped, 1 cannot listen, store"
        " or print, 2 wrong usage.",
    )
    add_settings(parser, ("server", "logging", "metrics"))
    parser.add_argument(
        "-q",
        "--quiet",
        dest="logging.log_level",
        action="store_const",
        const="warning",
        help="same as --log-level warning",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: A setting is unknown or out of bounds, or asks for what is not there.
    """
    settings = settings_of(options)
    configure_logging(settings)
    reload = Reload(settings)
    ignore(HANG_UP)  # Until it listens there is nothing to reload.
    workers = settings.section("server")["workers"]
    with contextlib.ExitStack() as stack:
        try:
            if workers > 1:
                return _serve_in_workers(settings, reload, workers)
            # Before the server, so that its first connection is counted.
            _offer_metrics(settings, stack)
            return _serve(_listen(settings, reload), reload, _announce)
        except _CannotServe as error:
            complain("serve", str(error))
            return CANNOT_LISTEN


def _serve(server: Server, reload: Reload, on_listening: OnListening) -> int:
    def stop(number: int, interrupted: FrameType | None) -> None:
        server.shutdown()

    with server:
        heed(STOPPING, stop)
        reload.on_signal(server)
        # A failure hides the port from the one who waits for it.
        goes_on = on_listening(server)
        if goes_on:
            server.serve_forever()
    # The interpreter takes its handlers down before it is gone; a signal then would be its end.
    ignore((*STOPPING, *HANG_UP))
    return STOPPED if goes_on else CANNOT_LISTEN


def _serve_in_workers(settings: Settings, reload: Reload, count: int) -> int:
    if settings.section("metrics")["metrics_port"]:
        raise ConfigError("[metrics] metrics_port needs [server] workers = 1, each counts its own")
    # Whether the port is free, and for port 0 which one: sharing it, the workers would not notice
    # that somebody else shares it too, and messages would go here and there.
    with _listen(settings, reload) as server:
        host, port = server.address

    def serve(on_listening: OnListening) -> int:
        try:
            worker = _listen(settings, reload, port=port, reuse_port=True)
        except _CannotServe as error:
            complain("serve", str(error))
            return CANNOT_LISTEN
        return _serve(worker, reload, on_listening)

    watch = Workers(count, serve, reload.now)
    return watch.run(lambda: show("serve", f"listening {place(host, port)}\n"))


def _announce(server: Server) -> bool:
    return show("serve", f"listening {place(*server.address)}\n")


def _listen(settings: Settings, reload: Reload, **options: Any) -> Server:
    values = settings.section("server")
    folder = values["save"]
    try:
        handler = SaveTo(folder) if folder else None
    except OSError as error:
        raise _CannotServe(f"cannot save to {folder}: {error.strerror or error}") from error
    try:
        return Server(handler, **(_server_options(settings, reload.tls) | options))
    except OSError as error:
        where = place(values["host"], values["port"])
        raise _CannotServe(f"cannot listen on {where}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"[server] {error}") from error


def _server_options(settings: Settings, context: ssl.SSLContext | None) -> dict[str, Any]:
    options = {
        key: value
        for key, value in settings.changed("server").items()
        if key not in _OF_THE_COMMAND
    }
    return options if context is None else options | {"tls": context}


def _offer_metrics(settings: Settings, stack: contextlib.ExitStack) -> None:
    host, port = (settings.section("metrics")[key] for key in ("metrics_host", "metrics_port"))
    if not port:
        return
    try:
        from fastmllp.serving.metrics import (
            start_http_server,  # Here, since few have what it needs.
        )

        stack.enter_context(start_http_server(host, port))
    except ModuleNotFoundError as error:
        raise _CannotServe(str(error)) from error
    except OSError as error:
        where = place(host, port)
        raise _CannotServe(f"cannot offer metrics on {where}: {error.strerror or error}") from error
    except UnicodeError as error:  # A label of the name is too long, or empty.
        where = place(host, port)
        raise _CannotServe(f"cannot offer metrics on {where}: not a host name") from error

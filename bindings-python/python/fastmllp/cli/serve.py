"""``fastmllp serve``: acknowledge every message."""

import argparse
import contextlib
import ssl
from types import FrameType
from typing import Any

from fastmllp.cli.flags import Commands, add_settings, configure_logging, settings_of
from fastmllp.cli.handler import (
    AnyHandler,
    check_name,
    is_coroutine_function,
    load,
    module_of,
    stored_first,
)
from fastmllp.cli.output import complain, show
from fastmllp.cli.reload import Reload
from fastmllp.cli.restarts import Restarts
from fastmllp.cli.signals import HANG_UP, STOPPING, heed, ignore
from fastmllp.cli.status import CANNOT_LISTEN, STOPPED
from fastmllp.cli.worker import AnyServer, OnListening
from fastmllp.cli.workers import Workers
from fastmllp.config import ConfigError, Settings
from fastmllp.saving import SaveTo
from fastmllp.server import Server
from fastmllp.serving.options import ServerKeywords, names_of
from fastmllp.serving.sockets.addresses import place


class _CannotServe(Exception):
    """What is needed for serving cannot be had. The text is one line."""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "serve",
        usage="fastmllp serve [OPTION ...] [HANDLER]",
        allow_abbrev=False,
        help="acknowledge every message",
        description="Acknowledge every complete frame as the handler says, or accept it if there is"
        " none; with --save only after it is stored. Prints"
        " 'listening HOST:PORT' when it listens; log records go to standard error or to --log-file."
        " SIGINT and SIGTERM end it after everything received is answered; SIGHUP opens the log"
        " file again and reloads the certificates. Exit status: 0 stopped, 1 cannot listen, store"
        " or print, 2 wrong usage, or a handler that cannot be loaded.",
    )
    parser.add_argument(
        "handler",
        nargs="?",
        type=_handler_name,
        metavar="HANDLER",
        help="MODULE:NAME of a function that is called with each message, such as feed:store; the"
        " current directory is searched too. A coroutine function runs under asyncio",
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="for development: restart with the new code when a file of the handler's project"
        " changes",
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
    _check_processes(settings, options)
    configure_logging(settings)
    reload = Reload(settings)
    ignore(HANG_UP)  # Until it listens there is nothing to reload.
    with contextlib.ExitStack() as stack:
        try:
            if options.reload or settings.section("server")["workers"] > 1:
                return _serve_in_processes(settings, reload, options)
            # Before the server, so that its first connection is counted.
            _offer_metrics(settings, stack)
            return _serve(_listen(settings, reload, options.handler), reload, _announce)
        except _CannotServe as error:
            complain("serve", str(error))
            return CANNOT_LISTEN


def _handler_name(text: str) -> str:
    try:
        return check_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _check_processes(settings: Settings, options: argparse.Namespace) -> None:
    """Refuse what does not go together in several processes.

    Raises:
        ConfigError: Something does not.
    """
    workers = settings.section("server")["workers"]
    metrics = settings.section("metrics")["metrics_port"]
    if options.reload and not options.handler:
        raise ConfigError("--reload needs a handler")
    if options.reload and workers > 1:
        raise ConfigError("--reload needs [server] workers = 1")
    if options.reload and metrics:
        raise ConfigError("[metrics] metrics_port cannot be used with --reload")
    if workers > 1 and metrics:
        raise ConfigError("[metrics] metrics_port needs [server] workers = 1, each counts its own")


def _serve(server: AnyServer, reload: Reload, on_listening: OnListening) -> int:
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


def _serve_in_processes(settings: Settings, reload: Reload, options: argparse.Namespace) -> int:
    # Whether the port is free, and for port 0 which one: sharing it, the workers would not notice
    # that somebody else shares it too, and messages would go here and there.
    server = _listen(settings, reload, None)
    with server:
        host, port = server.address

    def serve(on_listening: OnListening) -> int:
        try:
            worker = _listen(settings, reload, options.handler, port=port, reuse_port=True)
        except _CannotServe as error:
            complain("serve", str(error))
            return CANNOT_LISTEN
        return _serve(worker, reload, on_listening)

    watcher: Workers | Restarts
    if options.reload:
        watcher = Restarts(module_of(options.handler), serve, reload.now)
    else:
        watcher = Workers(settings.section("server")["workers"], serve, reload.now)
    return watcher.run(lambda: show("serve", f"listening {place(host, port)}\n"))


def _announce(server: AnyServer) -> bool:
    return show("serve", f"listening {place(*server.address)}\n")


def _listen(
    settings: Settings, reload: Reload, handler_name: str | None, **options: Any
) -> AnyServer:
    values = settings.section("server")
    handler = _handler(handler_name, values["save"])
    options = _server_options(settings, reload.tls) | options
    try:
        if handler is not None and is_coroutine_function(handler):
            from fastmllp.cli.loop_server import LoopServer  # Here, because few need asyncio.

            return LoopServer(handler, **options)
        return Server(handler, **options)
    except OSError as error:
        where = place(values["host"], values["port"])
        raise _CannotServe(f"cannot listen on {where}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"[server] {error}") from error


def _handler(name: str | None, folder: str) -> AnyHandler | None:
    handler = load(name) if name is not None else None
    if not folder:
        return handler
    try:
        save = SaveTo(folder)
    except OSError as error:
        raise _CannotServe(f"cannot save to {folder}: {error.strerror or error}") from error
    return stored_first(save, handler) if handler is not None else save


def _server_options(settings: Settings, context: ssl.SSLContext | None) -> dict[str, Any]:
    # The others are for the command itself.
    known = {"host", "port"} | names_of(ServerKeywords)
    changed = settings.changed("server").items()
    options = {key: value for key, value in changed if key in known}
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

"""``fastmllp serve``: acknowledge every message."""

import argparse
import signal
from types import FrameType
from typing import Any

from fastmllp.cli.flags import Commands, add_settings, configure_logging, settings_of
from fastmllp.cli.output import complain, place, show
from fastmllp.cli.status import CANNOT_LISTEN, STOPPED
from fastmllp.config import Settings
from fastmllp.saving import SaveTo
from fastmllp.server import Server


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "serve",
        usage="fastmllp serve [OPTION ...]",
        allow_abbrev=False,
        help="acknowledge every message",
        description="Acknowledge every complete frame, with --save only after it is stored. Prints"
        " 'listening HOST:PORT' when it listens; log records go to standard error. SIGINT and"
        " SIGTERM end it after everything received is answered. Exit status: 0 stopped, 1 cannot"
        " listen, store or print, 2 wrong usage.",
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
        ConfigError: A setting is unknown or out of bounds.
    """
    settings = settings_of(options)
    configure_logging(settings)
    server_settings = settings.section("server")
    host, port, folder = (server_settings[key] for key in ("host", "port", "save"))
    try:
        handler = SaveTo(folder) if folder else None
    except OSError as error:
        complain("serve", f"cannot save to {folder}: {error.strerror or error}")
        return CANNOT_LISTEN
    try:
        server = Server(handler, **_server_options(settings))
    except OSError as error:
        text = error.strerror or error
        complain("serve", f"cannot listen on {place(host, port)}: {text}")
        return CANNOT_LISTEN

    def stop(number: int, interrupted: FrameType | None) -> None:
        server.shutdown()

    with server:
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        # A failure hides the port from the one who waits for it.
        shown = show("serve", f"listening {place(*server.address)}\n")
        if shown:
            server.serve_forever()
    # The interpreter takes its handlers down before it is gone; a signal then would be its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return STOPPED if shown else CANNOT_LISTEN


def _server_options(settings: Settings) -> dict[str, Any]:
    options = settings.changed("server")
    options.pop("save", None)
    return options

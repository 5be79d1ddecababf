"""The command line, one module for each command.

A command's module has ``add``, which describes it to the parser, and ``run``, whose result is the
exit status; `fastmllp.cli.status` lists what each status means.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from fastmllp._native import __version__
from fastmllp.cli import ack, bench, config, peek, send, serve
from fastmllp.cli.output import complain
from fastmllp.cli.status import INTERRUPTED, WRONG_USAGE
from fastmllp.config import ConfigError
from fastmllp.logging.printable import one_line

__all__ = ["main"]

_COMMANDS = (serve, send, peek, ack, bench, config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line without the program's name; that of the process if not given.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        # An acknowledgment may hold characters that the terminal's encoding does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigError as error:
        complain(options.command, str(error))
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Its complaints quote arguments, which are not safe to print as they are."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastmllp", description="Receive and send HL7 v2 messages over MLLP.")
    parser.add_argument("--version", action="version", version=f"fastmllp {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser

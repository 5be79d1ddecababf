"""The arguments that commands share: which engine is asked, and how it is printed."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmllp_engine.cli.client import Client

VARIABLE = "FASTMLLP_ENGINE_DATA"
STORE = "store.db"

DATA_HELP = (
    f"the engine's data folder; without it ${VARIABLE}, else the only one below this folder, such "
    "as feeds/data"
)

Run = Callable[[argparse.Namespace], int]
Commands = Any
"""What `add_subparsers` returns; its class has no public name."""


class NoData(Exception):
    """It is not clear which engine is meant. The text says what to give."""


def command(
    commands: Commands, name: str, run: Run, text: str, more: str = ""
) -> argparse.ArgumentParser:
    """Add a command. Its help begins with the text."""
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text[0].lower() + text[1:].rstrip("."),
        description=f"{text}\n\n{more}" if more else text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(run=run)
    added.add_argument("--json", action="store_true", help="print JSON")
    return added


def about_an_engine(
    commands: Commands, name: str, run: Run, text: str, more: str = ""
) -> argparse.ArgumentParser:
    """Add a command that asks a running engine."""
    added = command(commands, name, run, text, more)
    added.add_argument("--data", type=Path, metavar="DATA", help=DATA_HELP)
    return added


def message_numbers(parser: argparse.ArgumentParser, many: str) -> None:
    """Add numbers of messages."""
    parser.add_argument("messages", type=int, nargs=many, metavar="MESSAGE", help="its number")


def client_of(given: argparse.Namespace) -> Client:
    """The engine that a command asks."""
    return Client(data_of(given))


def data_of(given: argparse.Namespace) -> Path:
    """The data folder that a command means.

    Raises:
        NoData: none was given, and there is none or more than one.
    """
    if given.data is not None:
        return Path(given.data)
    if variable := os.environ.get(VARIABLE):
        return Path(variable)
    found = [path for path in (Path("data"), *sorted(Path().glob("*/data"))) if _is_data(path)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NoData(f"which engine? give one of: {', '.join(f'--data {it}' for it in found)}")
    raise NoData("no engine's data folder is here; give --data DATA")


def _is_data(path: Path) -> bool:
    return (path / STORE).is_file()

"""The flags of the commands."""

import argparse
from collections.abc import Callable, Iterable
from typing import TypeAlias

from fastmllp.config import TABLE, ConfigError, Settings
from fastmllp.config.bounds import read_integer, read_number
from fastmllp.config.flags import add_flags, load_with_flags
from fastmllp.config.table import SCAN_MEANING, SCANS
from fastmllp.logging import configure

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command adds itself."""


def add_settings(parser: argparse.ArgumentParser, sections: Iterable[str]) -> None:
    """Give a command ``--config`` and a flag for each setting of some sections."""
    add_flags(parser, TABLE, sections)


def add_scan(parser: argparse.ArgumentParser) -> None:
    """Give a command that only looks at messages a flag for the way to read them.

    It follows MSH-18 by default: it has no peer that must read in the same way.
    """
    meaning = SCAN_MEANING.replace("`", "")
    parser.add_argument(
        "--scan", choices=SCANS, default="auto", help=f"{meaning}; default: %(default)s"
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The effective settings of a command whose flags `add_settings` has made.

    Raises:
        ConfigError: Something in the file or in the environment is unknown or out of bounds.
    """
    return load_with_flags(options, TABLE)


def configure_logging(settings: Settings, unless_set: str = "") -> None:
    """Write log records to standard error or to a file, as the settings say.

    Args:
        settings: Those of a command with the section ``logging``.
        unless_set: The lowest level that is written, unless a source has set one.

    Raises:
        ConfigError: The file cannot be opened.
    """
    values = settings.section("logging")
    level = values["log_level"]
    if unless_set and settings.source("logging", "log_level") == "default":
        level = unless_set
    file = values["log_file"]
    try:
        configure(level, values["log_format"], values["log_message"], file=file)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"[logging] log_file: cannot write {file}: {reason}") from error


def count(name: str, least: int = 1, most: int = 1_000_000_000) -> Callable[[str], int]:
    """A type for flags that are no settings: a whole number in a range."""

    def parse(text: str) -> int:
        try:
            number = read_integer(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} is not a number: {text!r}") from None
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{name} must be from {least} to {most}, not {number}")
        return number

    return parse


def positive(name: str) -> Callable[[str], float]:
    """A type for flags that are no settings: a number above 0, up to 1,000,000."""

    def parse(text: str) -> float:
        try:
            number = read_number(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} is not a number: {text!r}") from None
        if not 0 < number <= 1_000_000:
            raise argparse.ArgumentTypeError(f"{name} must be above 0 and at most 1000000")
        return number

    return parse

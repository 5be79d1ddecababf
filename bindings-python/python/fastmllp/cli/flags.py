"""Flags that are made of the table of settings."""

import argparse
from collections.abc import Callable, Iterable
from typing import TypeAlias

from fastmllp import config
from fastmllp.config import SETTINGS, Setting, Settings, Value
from fastmllp.logging import configure

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command adds itself."""


def add_settings(parser: argparse.ArgumentParser, sections: Iterable[str]) -> None:
    """Give a command ``--config`` and a flag for each setting of some sections."""
    parser.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    wanted = tuple(sections)
    parser.set_defaults(sections=wanted)
    for setting in SETTINGS:
        if setting.section in wanted:
            _add(parser, setting)


def settings_of(options: argparse.Namespace) -> Settings:
    """The effective settings of a command whose flags `add_settings` has made.

    Raises:
        ConfigError: Something in the file or in the environment is unknown or out of bounds.
    """
    given = vars(options)
    flags = {
        (setting.section, setting.key): given[_destination(setting)]
        for setting in SETTINGS
        if given.get(_destination(setting)) is not None
    }
    return config.load(options.sections, flags=flags, file=options.config)


def configure_logging(settings: Settings, unless_set: str = "") -> None:
    """Write log records to standard error, as the settings say.

    Args:
        settings: Those of a command with the section ``logging``.
        unless_set: The lowest level that is written, unless a source has set one.
    """
    values = settings.section("logging")
    level = values["log_level"]
    if unless_set and settings.source("logging", "log_level") == "default":
        level = unless_set
    configure(level, values["log_format"], values["log_message"])


def count(name: str, least: int = 1, most: int = 1_000_000_000) -> Callable[[str], int]:
    """A type for flags that are no settings: a whole number in a range."""

    def parse(text: str) -> int:
        try:
            number = int(text)
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
            number = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} is not a number: {text!r}") from None
        if not 0 < number <= 1_000_000:
            raise argparse.ArgumentTypeError(f"{name} must be above 0 and at most 1000000")
        return number

    return parse


def _add(parser: argparse.ArgumentParser, setting: Setting) -> None:
    # In the help text a percent sign would be a format of argparse.
    meaning = setting.meaning.replace("`", "").replace("%", "%%")
    default = ", ".join(setting.default) if isinstance(setting.default, tuple) else setting.default
    text = f"{meaning}; default: {default}" if default not in ("", False) else meaning
    if isinstance(setting.default, bool):
        parser.add_argument(
            setting.flag,
            dest=_destination(setting),
            action=argparse.BooleanOptionalAction,
            help=text,
            default=None,
        )
        return
    parser.add_argument(
        setting.flag,
        dest=_destination(setting),
        type=_typed(setting),
        metavar=_placeholder(setting),
        help=text,
    )


def _destination(setting: Setting) -> str:
    return f"{setting.section}.{setting.key}"


def _placeholder(setting: Setting) -> str:
    if setting.choices:
        return f"{{{','.join(setting.choices)}}}"
    unit = setting.range.unit if setting.range is not None else ""
    return setting.placeholder or unit.upper() or setting.key.upper()


def _typed(setting: Setting) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        try:
            return setting.from_text(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse

"""Flags of a command that are made of a table of settings."""

import argparse
from collections.abc import Callable, Iterable

from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import Settings, SettingsTable


def add_flags(
    parser: argparse.ArgumentParser, table: SettingsTable, sections: Iterable[str]
) -> None:
    """Give a command ``--config`` and a flag for each setting of some sections."""
    parser.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    wanted = tuple(sections)
    parser.set_defaults(sections=wanted)
    for setting in table.settings:
        if setting.section in wanted:
            _add(parser, setting)


def load_with_flags(options: argparse.Namespace, table: SettingsTable) -> Settings:
    """The effective settings of a command whose flags `add_flags` has made.

    Raises:
        ConfigError: Something in the file or in the environment is unknown or out of bounds.
    """
    given = vars(options)
    flags = {
        (setting.section, setting.key): given[_destination(setting)]
        for setting in table.settings
        if given.get(_destination(setting)) is not None
    }
    return table.load(options.sections, flags=flags, file=options.config)


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
            return setting.check_given(setting.from_text(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse

"""``fastmllp config``: the settings in force, and where each came from."""

import argparse

from fastmllp.cli.flags import Commands
from fastmllp.cli.output import show
from fastmllp.cli.status import CANNOT_PRINT, DONE
from fastmllp.config import load
from fastmllp.config.show import as_json, markdown, toml


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "config",
        usage="fastmllp config [OPTION ...]",
        allow_abbrev=False,
        help="show the settings in force, and where each came from",
        description="Show every setting with the value that the environment, the file and the"
        " defaults give it, in the form of a settings file. Exit status: 0 shown, 1 cannot print,"
        " 2 something in the file or in the environment is unknown or out of bounds.",
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="an object of sections, for programs")
    form.add_argument("--markdown", action="store_true", help="the documentation of all settings")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: Something in the file or in the environment is unknown or out of bounds.
    """
    if options.markdown:
        text = markdown()
    else:
        settings = load(file=options.config)
        text = as_json(settings) if options.json else toml(settings)
    return DONE if show("config", text) else CANNOT_PRINT

"""``import``: the configuration of another engine, written as one of this."""

import argparse
import dataclasses

from fastmllp_engine.cli.asking import Commands, command
from fastmllp_engine.cli.printing import counted, say_error, say_json, say_lines
from fastmllp_engine.compat.importing import NoFolder, import_folder


def add_to(commands: Commands) -> None:
    """Add the command."""
    imported = command(
        commands,
        "import",
        _import,
        "Write the configuration of another engine as one of this, and say what is refused.",
        "Modules are copied as they are and load because of [compat]. Each thing that differs or\n"
        "is refused is listed with its line. Exit status 1: something has to be changed by hand.",
    )
    imported.add_argument("engine", choices=("messagefoundry",), help="whose it is")
    imported.add_argument("source", metavar="DIR", help="its project or folder of configuration")
    imported.add_argument("target", metavar="OUT", help="where it is written: empty, or not there")
    imported.add_argument("--env", metavar="NAME", help="the environment, to check the result")


def _import(given: argparse.Namespace) -> int:
    try:
        done = import_folder(given.source, given.target, given.env)
    except NoFolder as error:
        say_error(str(error))
        return 2
    except OSError as error:
        say_error(f"{given.target}: {error.strerror or error}")
        return 2
    if given.json:
        findings = [dataclasses.asdict(it) for it in done.findings]
        say_json({"written": done.written, "findings": findings, "refused": done.refused})
    else:
        say_lines("\n".join(f"wrote {given.target}/{name}" for name in done.written))
        say_lines("\n".join(it.line() for it in done.findings))
        say_lines(f"{counted(done.refused, 'thing is', 'things are')} refused")
    return 1 if done.refused else 0

"""The command: which family it belongs to, and its exit status."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from fastmllp_engine.api.door import Closed
from fastmllp_engine.cli import (
    asking,
    backing_up,
    comparing,
    configuring,
    generating,
    importing,
    lanes,
    reading,
    repairing,
    running,
    store,
    supporting,
    trying,
)
from fastmllp_engine.cli.client import Refused
from fastmllp_engine.cli.printing import say_error, settle_output

DESCRIPTION = """\
A durable HL7 integration engine. Feeds are Python and TOML in a folder of your own.

Times are in UTC. Every command takes --json, and --help.
"""

EXIT_STATUS = """\
exit status: 0 done, 1 a negative answer, 2 wrong usage or a refused configuration, 3 unreachable,
4 the store is refused (in use, newer, full), 5 a sync of the store has failed
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status."""
    settle_output()
    given = parser().parse_args(arguments)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Closed as error:
        say_error(str(error))
        return 3
    except Refused as error:
        say_error(error.text)
        return error.exit_status
    except asking.NoData as error:
        say_error(str(error))
        return 2
    return status


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="fastmllp-engine",
        description=DESCRIPTION,
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=version("fastmllp-engine"))
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in (
        configuring,
        generating,
        importing,
        running,
        trying,
        comparing,
        reading,
        repairing,
        lanes,
        store,
        backing_up,
        supporting,
    ):
        family.add_to(commands)
    return whole

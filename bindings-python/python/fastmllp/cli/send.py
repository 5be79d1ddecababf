"""``fastmllp send``: send messages and print their acknowledgments."""

import argparse
import sys
from functools import partial

from fastmllp.cli.flags import Commands, add_settings, configure_logging, settings_of
from fastmllp.cli.messages import NotReadable, read_all
from fastmllp.cli.output import complain, write
from fastmllp.cli.status import ACCEPTED, NOT_DELIVERED, REFUSED, WRONG_USAGE
from fastmllp.client import Client, DeliveryError
from fastmllp.hl7 import readable


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "send",
        usage="fastmllp send [OPTION ...] FILE [FILE ...]",
        allow_abbrev=False,
        help="send messages and print their acknowledgments",
        description="Send each message of each file and print its acknowledgment. A message begins"
        " at each line that starts with MSH; line ends become CR. A file of MLLP frames is sent"
        " frame by frame, its payloads unchanged. Exit status: 0 all accepted, 1 a negative"
        " acknowledgment came, 2 wrong usage, 3 server not reached or no answer in time.",
    )
    add_settings(parser, ("client", "logging"))
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a folder, or - for standard input"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
    """
    settings = settings_of(options)
    configure_logging(settings, unless_set="warning")
    try:
        messages = read_all(options.files, partial(complain, "send"))
    except NotReadable as error:
        complain("send", str(error))
        return WRONG_USAGE
    encoding = settings.section("client")["encoding"]
    status = ACCEPTED
    try:
        with Client(**settings.changed("client")) as client:
            for found in messages:
                reply = client.send(found.payload)
                failure = write(sys.stdout, readable(reply.payload, encoding) + "\n")
                if failure is not None and not isinstance(failure, BrokenPipeError):
                    text = failure.strerror or failure
                    complain("send", f"cannot print acknowledgments, sending goes on: {text}")
                if not reply.accepted:
                    status = REFUSED
    except DeliveryError as error:
        complain("send", str(error))
        return NOT_DELIVERED
    return status

"""``fastmllp ack``: the acknowledgments of messages in files."""

import argparse
import json
from functools import partial

from fastmllp._native import Ack, AckError, frame
from fastmllp.ack import AckCode
from fastmllp.cli.flags import Commands, add_scan
from fastmllp.cli.messages import Found, NotReadable, Reader
from fastmllp.cli.output import complain, show
from fastmllp.cli.status import CANNOT_PRINT, DONE, NOT_READABLE, WRONG_USAGE
from fastmllp.client.reply import Reply
from fastmllp.hl7 import readable


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "ack",
        usage="fastmllp ack [OPTION ...] FILE [FILE ...]",
        allow_abbrev=False,
        help="show the acknowledgments of messages",
        description="Show the acknowledgment of each message of each file. Exit status: 0 shown,"
        " 1 a message has no such acknowledgment, 2 wrong usage.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a file, a folder, or - for standard input"
    )
    parser.add_argument(
        "--code",
        choices=[str(code) for code in AckCode],
        default="AA",
        help="acknowledgment code, MSA-1; default: %(default)s",
    )
    parser.add_argument("--text", default="", help="text for the sender, in MSA-3 or ERR")
    parser.add_argument(
        "--policy",
        choices=("always", "conformant"),
        default="always",
        help="rules for the acknowledgment; default: %(default)s",
    )
    add_scan(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="an object for each message")
    form.add_argument("--framed", action="store_true", help="frames, byte for byte as on the wire")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    try:
        messages = Reader(partial(complain, "ack")).read_all(options.files)
    except NotReadable as error:
        complain("ack", str(error))
        return WRONG_USAGE
    status = DONE
    for found in messages:
        try:
            ack = Ack(options.code, policy=options.policy, text=options.text)
            payload = ack.encode(found.payload, scan=options.scan)
        except AckError as error:
            complain("ack", f"{found.place}: {error}")
            status = NOT_READABLE
            continue
        if options.framed:
            shown = show("ack", frame(payload))
        elif options.json:
            shown = show("ack", _as_json(found, payload, options.scan))
        else:
            shown = show("ack", readable(payload))
        if not shown:
            return CANNOT_PRINT
    return status


def _as_json(found: Found, payload: bytes, scan: str) -> str:
    reply = Reply.from_payload(payload, scan)
    row = {"file": found.file, "number": found.number, "code": reply.code}
    row |= {"control_id": reply.control_id, "acknowledgment": readable(payload)}
    return json.dumps(row) + "\n"

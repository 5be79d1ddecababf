"""``fastmllp peek``: fields of messages in files."""

import argparse
import json
from functools import partial

from fastmllp import config
from fastmllp._native import Message, MessageError, Path
from fastmllp.cli.flags import Commands, add_scan
from fastmllp.cli.messages import Found, NotReadable, Reader
from fastmllp.cli.output import complain, show
from fastmllp.cli.status import CANNOT_PRINT, DONE, NOT_READABLE, WRONG_USAGE
from fastmllp.hl7 import readable

# MSH-1 to MSH-21, in order.
_HEADER = (
    "field_separator",
    "encoding_characters",
    "sending_application",
    "sending_facility",
    "receiving_application",
    "receiving_facility",
    "date_time_of_message",
    "security",
    "message_type",
    "message_control_id",
    "processing_id",
    "version_id",
    "sequence_number",
    "continuation_pointer",
    "accept_acknowledgment_type",
    "application_acknowledgment_type",
    "country_code",
    "character_set",
    "principal_language_of_message",
    "alternate_character_set_handling_scheme",
    "message_profile_identifier",
)


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "peek",
        usage="fastmllp peek [OPTION ...] FILE [PATH ...]",
        allow_abbrev=False,
        help="show fields of messages",
        description="Show fields of each message of a file, one line for each message, the values"
        " separated by tabs, as they stand on the wire. Without a path the fields of MSH are shown."
        " A damaged MSH-2 is read as far as possible, and noted. Exit status: 0 shown, 1 a message"
        " has no usable header, 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE", help="a file, a folder, or - for standard input")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="such as PID-3.1 or OBX[2]-5")
    parser.add_argument(
        "--encoding",
        type=_encoding,
        default="utf-8",
        help="character set in which values are shown; default: %(default)s, or else Latin-1",
    )
    add_scan(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="an object for each message; null for what is absent, deviation for a damaged MSH-2",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    try:
        paths = {text: Path(text) for text in options.paths}
        messages = Reader(partial(complain, "peek")).read_all([options.file])
    except (MessageError, NotReadable) as error:
        complain("peek", str(error))
        return WRONG_USAGE
    status = DONE
    for found in messages:
        try:
            # As leniently as a server reads for its acknowledgment.
            message = Message(found.payload, scan=options.scan, lenient=True)
            values = _values(message, paths, options.encoding)
        except MessageError as error:
            complain("peek", f"{found.place}: {error}")
            status = NOT_READABLE
            continue
        deviation = _deviation(found.payload)
        if deviation is not None:
            complain("peek", f"{found.place}: MSH-2 is damaged, and read as far as possible")
        text = _as_text(found, values, bool(paths))
        if options.json:
            text = _as_json(found, values, deviation)
        if not show("peek", text):
            return CANNOT_PRINT
    return status


def _values(message: Message, paths: dict[str, Path], encoding: str) -> dict[str, str | None]:
    if not paths:
        header = message.header
        fields = {name: getattr(header, name) for name in _HEADER}
        return {name: _shown(value, encoding) for name, value in fields.items() if value}
    values = {text: message.get(path) for text, path in paths.items()}
    return {
        text: None if value is None else _shown(value, encoding) for text, value in values.items()
    }


def _deviation(payload: bytes) -> str | None:
    """Why a message cannot be read strictly: a code of `MessageError`."""
    try:
        _ = Message(payload).header
    except MessageError as error:
        return error.code
    return None


def _as_json(found: Found, values: dict[str, str | None], deviation: str | None) -> str:
    row: dict[str, object] = {"file": found.file, "number": found.number}
    row |= {"bytes": len(found.payload), "fields": values}
    if deviation is not None:
        row["deviation"] = deviation
    return json.dumps(row) + "\n"


def _as_text(found: Found, values: dict[str, str | None], by_path: bool) -> str:
    if by_path:
        return "\t".join(value or "" for value in values.values()) + "\n"
    width = max(map(len, values))
    lines = [
        f"  MSH-{_HEADER.index(name) + 1:<2}  {name.replace('_', ' '):{width}}  {value}"
        for name, value in values.items()
    ]
    return "\n".join([f"{found.place}, {len(found.payload)} bytes", *lines]) + "\n"


def _shown(value: bytes, encoding: str) -> str:
    return readable(value, encoding).rstrip("\n").replace("\n", "\\x0d")


def _encoding(text: str) -> str:
    try:
        return config.encoding("encoding", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

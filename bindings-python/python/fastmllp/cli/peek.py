"""``fastmllp peek``: fields of messages in files."""

import argparse
import json
from functools import partial

from fastmllp import config
from fastmllp.cli.flags import Commands
from fastmllp.cli.messages import Found, NotReadable, read_all
from fastmllp.cli.output import complain, show
from fastmllp.cli.status import CANNOT_PRINT, DONE, NOT_READABLE, WRONG_USAGE
from fastmllp.hl7 import Message, MessageError, Path, readable

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
        " Exit status: 0 shown, 1 a message has no usable header, 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE", help="a file, a folder, or - for standard input")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="such as PID-3.1 or OBX[2]-5")
    parser.add_argument(
        "--encoding",
        type=_encoding,
        default="utf-8",
        help="character set in which values are shown; default: %(default)s, or else Latin-1",
    )
    parser.add_argument(
        "--json", action="store_true", help="an object for each message; null for what is absent"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    try:
        paths = {text: Path(text) for text in options.paths}
        messages = read_all([options.file], partial(complain, "peek"))
    except (MessageError, NotReadable) as error:
        complain("peek", str(error))
        return WRONG_USAGE
    status = DONE
    for found in messages:
        try:
            values = _values(Message(found.payload), paths, options.encoding)
        except MessageError as error:
            complain("peek", f"{found.place}: {error}")
            status = NOT_READABLE
            continue
        text = _as_json(found, values) if options.json else _as_text(found, values, bool(paths))
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


def _as_json(found: Found, values: dict[str, str | None]) -> str:
    row = {"file": found.file, "number": found.number, "bytes": len(found.payload)}
    return json.dumps(row | {"fields": values}) + "\n"


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

"""``generate``: messages for tests, of a hospital that does not exist."""

import argparse
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fastmllp_engine.cli.asking import Commands, command
from fastmllp_engine.cli.printing import say_error, say_json, say_lines
from fastmllp_engine.testing import TYPES, generate


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    made = command(
        commands,
        "generate",
        _generate,
        "Make messages for tests: nobody in them exists.",
        "The same seed makes the same messages. What happens to a patient makes sense: nobody is\n"
        "discharged who was not admitted.",
    )
    made.add_argument("--count", type=int, default=10, metavar="N", help="how many: 10")
    made.add_argument(
        "--type",
        action="append",
        choices=TYPES,
        dest="types",
        help="which; may be given several times; without it all",
    )
    made.add_argument("--seed", type=int, default=0, metavar="N", help="0")
    made.add_argument("--patients", type=int, default=20, metavar="N", help="at a time: 20")
    made.add_argument(
        "--start",
        type=datetime.fromisoformat,
        default=datetime(2026, 1, 1, 6),
        metavar="TIME",
        help="when the first one is sent: 2026-01-01T06:00",
    )
    made.add_argument(
        "--out", type=Path, metavar="DIR", help="a file for each message is written there"
    )


def _generate(given: argparse.Namespace) -> int:
    try:
        messages = generate(
            given.count,
            given.types or TYPES,
            seed=given.seed,
            start=given.start,
            patients=given.patients,
        )
    except ValueError as error:
        say_error(str(error))
        return 2
    if given.out is None:
        texts = (message.decode() for message in messages)
        if given.json:
            say_json(list(texts))
        else:
            for text in texts:
                say_lines(text.replace("\r", "\n"))
        return 0
    return _write(given, messages)


def _write(given: argparse.Namespace, messages: Iterator[bytes]) -> int:
    written: list[str] = []
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        for number, message in enumerate(messages, 1):
            path = given.out / f"gen{number:0{len(str(given.count))}}.hl7"
            with path.open("xb") as file:
                file.write(message)
            written.append(str(path))
    except OSError as error:
        say_error(f"{error.filename}: {error.strerror}; {len(written)} files are written")
        return 2
    if given.json:
        say_json(written)
    else:
        say_lines(f"wrote {len(written)} files to {given.out}")
    return 0

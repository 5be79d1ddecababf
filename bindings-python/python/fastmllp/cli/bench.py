"""``fastmllp bench``: messages a second, and how long each one takes."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from fastmllp import config
from fastmllp.cli.delivery import MAX_WINDOW, Agenda, Delivery, describe, interruptible
from fastmllp.cli.flags import Commands, count, positive
from fastmllp.cli.output import complain, show
from fastmllp.cli.progress import progress
from fastmllp.cli.signals import heed_interruption
from fastmllp.cli.status import CANNOT_PRINT, DONE, INTERRUPTED, NOT_DELIVERED, REFUSED
from fastmllp.cli.summary import Summary
from fastmllp.config import bounds
from fastmllp.config.setting import PREFIX
from fastmllp.logging.printable import one_line
from fastmllp.serving.sockets.addresses import place

# Messages that differ in MSH-10, so that those on the wire at a time can be told apart.
_MESSAGES = 1000
_LEAST_SIZE = 150


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "bench",
        usage="fastmllp bench [OPTION ...]",
        allow_abbrev=False,
        help="measure messages a second, and the time of each",
        description="Send made-up messages for some seconds, to a server that is started for it on"
        " this machine, or to another one, which must not be one that takes them for real. The"
        " sender is one Python process, which is often the limit. Exit status: 0 all accepted, 1 a"
        " negative acknowledgment came, 2 wrong usage, 3 server not reached or no answer in time,"
        " 130 interrupted.",
    )
    parser.add_argument(
        "--address",
        type=_address,
        metavar="HOST:PORT",
        help="measure the server there; default: one that is started and stopped",
    )
    parser.add_argument(
        "--connections",
        type=count("connections", most=1000),
        default=4,
        metavar="N",
        help="connections that send at the same time; default: %(default)s",
    )
    parser.add_argument(
        "--window",
        type=count("window", most=MAX_WINDOW),
        default=1,
        metavar="N",
        help="messages without an answer at a time on each connection; default: %(default)s",
    )
    parser.add_argument(
        "--seconds",
        type=positive("seconds"),
        default=5.0,
        metavar="N",
        help="how long to send, from the first message on; default: %(default)s",
    )
    parser.add_argument(
        "--size",
        type=count("size", least=_LEAST_SIZE, most=config.DEFAULT_MAX_SIZE),
        default=400,
        metavar="BYTES",
        help="payload of each message; default: %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="an object, for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.address is not None:
        return _measure(options, *options.address)
    # Until messages are sent an interruption ends the command, and its server with it.
    heed_interruption(signal.default_int_handler)
    try:
        with _server() as (host, port):
            return _measure(options, host, port)
    except OSError as error:
        complain("bench", f"cannot start a server: {error.strerror or error}")
        return NOT_DELIVERED


def _measure(options: argparse.Namespace, host: str, port: int) -> int:
    agenda = Agenda(None, seconds=options.seconds)
    delivery = Delivery(
        [_message(number, options.size) for number in range(_MESSAGES)],
        agenda,
        (host, port),
        {},
        connections=options.connections,
        window=options.window,
    )
    summary = Summary()
    failures: set[str] = set()
    shown = 0
    with interruptible(delivery) as signals, progress("seconds", int(options.seconds)) as advance:
        began = time.monotonic()
        for outcome in delivery.outcomes("bench"):
            summary.count(outcome)
            if outcome.error is not None:
                failures.add(describe(outcome.error))
            began = agenda.began or began  # Connecting is not measured.
            while time.monotonic() - began >= shown + 1:
                shown += 1
                advance()
        seconds = time.monotonic() - began
    for failure in sorted(failures):
        complain("bench", failure)
    # What was on its way when nobody waited for it any longer counts as not delivered.
    total = agenda.started
    summary.lost = total - summary.answered
    result = {"address": place(host, port)} | {
        name: getattr(options, name) for name in ("connections", "window", "size")
    }
    result |= summary.as_object(total, seconds)
    if not show("bench", json.dumps(result) + "\n" if options.json else _as_text(result)):
        return CANNOT_PRINT
    if failures or not summary.answered:
        return INTERRUPTED if signals else NOT_DELIVERED
    if signals:
        return INTERRUPTED
    return REFUSED if summary.refused else DONE


def _as_text(result: dict[str, Any]) -> str:
    times = result["round_trip_ms"] or {}
    rows = [
        ("server", result["address"]),
        ("connections, window", f"{result['connections']}, {result['window']}"),
        ("payload", f"{result['size']} bytes"),
        ("messages", f"{result['messages']} in {result['seconds']:.2f} s"),
        ("accepted", result["accepted"]),
        ("refused", result["refused"]),
        ("not delivered", result["not_delivered"]),
        ("messages/s", result["per_second"]),
        *((f"round trip {name}", f"{milliseconds} ms") for name, milliseconds in times.items()),
    ]
    return "".join(f"{name:20} {one_line(str(value))}\n" for name, value in rows)


@contextlib.contextmanager
def _server() -> Iterator[tuple[str, int]]:
    """A server of its own process, with the default settings.

    Raises:
        OSError: It does not start.
    """
    command = [sys.executable, "-m", "fastmllp", "serve", "--quiet"]
    settings = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=settings,
        start_new_session=True,  # Ctrl-C is meant for us; the server ends when we have.
    ) as process:
        try:
            assert process.stdout is not None
            listening = process.stdout.readline().removeprefix("listening ").strip()
            if not listening:
                raise OSError("it does not listen")
            yield _address(listening)
        finally:
            process.terminate()


def _message(number: int, size: int) -> bytes:
    """A made-up message of exactly that size."""
    head = (
        "MSH|^~\\&|BENCH|FASTMLLP|BENCH|FASTMLLP|20260101000000||ADT^A08^ADT_A01|"
        f"B{number:07}|T|2.5\rPID|1||4711||NOBODY^NAMED\rNTE|1||"
    ).encode()
    return head + b"x" * (size - len(head) - 1) + b"\r"


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    try:
        if not (host and colon):
            raise ValueError("address must be HOST:PORT")
        number = bounds.read_integer(port)
        bounds.PORT.check("port", number)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return host.removeprefix("[").removesuffix("]"), number

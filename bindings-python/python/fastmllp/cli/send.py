"""``fastmllp send``: send messages and print their acknowledgments."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from fastmllp._native import Initiator, MllpError
from fastmllp.cli.delivery import MAX_WINDOW, Agenda, Delivery, Outcome, describe, interruptible
from fastmllp.cli.flags import (
    Commands,
    add_settings,
    configure_logging,
    count,
    positive,
    settings_of,
)
from fastmllp.cli.messages import Found, NotReadable, Reader
from fastmllp.cli.output import complain, write
from fastmllp.cli.progress import progress
from fastmllp.cli.signals import heed_interruption
from fastmllp.cli.status import ACCEPTED, INTERRUPTED, NOT_DELIVERED, REFUSED, WRONG_USAGE
from fastmllp.cli.summary import Summary
from fastmllp.cli.tls import client_options
from fastmllp.client.unasked import Unasked
from fastmllp.hl7 import readable


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "send",
        usage="fastmllp send [OPTION ...] FILE [FILE ...]",
        allow_abbrev=False,
        help="send messages and print their acknowledgments",
        description="Send each message of each file and print its acknowledgment. A message begins"
        " at each line with a header: MSH, a separator and MSH-2; line ends become CR. A file of"
        " MLLP frames is sent frame by frame, its payloads unchanged. Of a batch each message is"
        " sent on its own; the lines of its envelope are left out. Nothing is sent when a batch is"
        " cut or its counts differ. Of a folder each file is sent, by name. The first"
        " failure ends the work; so does the first Ctrl-C, SIGTERM or SIGHUP, after the answers"
        " that are due; the second one waits for nothing."
        " Exit status: 0 all accepted, 1 a negative acknowledgment came, 2 wrong usage, 3 server"
        " not reached or no answer in time, 130 interrupted.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a folder, or - for standard input"
    )
    parser.add_argument(
        "--ignore-counts",
        action="store_true",
        help="send the messages of a batch that is cut or whose counts (BTS-1, FTS-1) differ",
    )
    _add_pace(parser)
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="print no acknowledgments, only the summary"
    )
    parser.add_argument(
        "--json", action="store_true", help="a line of JSON for each message, and the summary"
    )
    add_settings(parser, ("client", "logging"))
    parser.set_defaults(run=run)


def _add_pace(parser: argparse.ArgumentParser) -> None:
    """How often, over what, and how fast."""
    parser.add_argument(
        "--repeat",
        type=count("repeat"),
        default=1,
        metavar="N",
        help="send everything N times, unchanged; default: %(default)s",
    )
    parser.add_argument(
        "--connections",
        type=count("connections"),
        default=1,
        metavar="N",
        help="send over N connections, which does not keep the order; default: %(default)s",
    )
    parser.add_argument(
        "--window",
        type=count("window", most=MAX_WINDOW),
        default=1,
        metavar="N",
        help="messages without an answer at a time on each connection; default: %(default)s",
    )
    parser.add_argument(
        "--rate",
        type=positive("rate"),
        default=0.0,
        metavar="N",
        help="messages a second at most, over all connections; default: no limit",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
    """
    # Until messages are sent an interruption just ends the command.
    heed_interruption(signal.default_int_handler)
    settings = settings_of(options)
    configure_logging(settings, unless_set="warning")
    reader = Reader(
        partial(complain, "send"),
        whole_batches=not options.ignore_counts,
        check=_submitted(settings.section("client")["scan"]),
    )
    try:
        messages = reader.read_all(options.files)
    except NotReadable as error:
        complain("send", str(error))
        return WRONG_USAGE
    total = len(messages) * options.repeat
    agenda = Agenda(total, options.rate)
    summary = Summary()
    client = settings.section("client")
    report = _Report(options, messages, client["encoding"])
    began = time.monotonic()
    delivery = Delivery(
        [found.payload for found in messages],
        agenda,
        (client["host"], client["port"]),
        # The command has no use for an application's answer that comes later.
        {**client_options(client), "wait_for": "accept"},
        connections=min(options.connections, total),
        window=options.window,
    )
    finished = 0
    with interruptible(delivery) as interrupted, report.progress(total) as advance:
        for outcome in delivery.outcomes("send"):
            summary.count(outcome)
            finished += outcome.number is not None
            report.tell(outcome)
            if outcome.unasked is None:
                advance()
    # What was on its way when nobody waited for it any longer may have arrived.
    summary.lost += agenda.started - finished
    report.conclude(summary, total, time.monotonic() - began)
    if summary.answered < total:
        return INTERRUPTED if interrupted else NOT_DELIVERED
    return REFUSED if summary.refused else ACCEPTED


def _submitted(scan: str) -> Callable[[bytes], object]:
    """A check that refuses what a client would refuse, before anything has left."""
    trial = Initiator(scan=scan)
    return lambda payload: trial.withdraw(trial.submit(payload, 0.0))


class _Report:
    """Prints what became of each message, as text or as lines of JSON."""

    def __init__(
        self, options: argparse.Namespace, messages: Sequence[Found], encoding: str
    ) -> None:
        self._json: bool = options.json
        self._quiet: bool = options.quiet
        self._messages = messages
        self._encoding = encoding
        self._complaints: set[str] = set()

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[], None]]:
        """Progress, unless the terminal shows the acknowledgments themselves."""
        if total > 1 and (self._quiet or sys.stdout is None or not sys.stdout.isatty()):
            with progress("messages", total) as advance:
                yield advance
        else:
            yield lambda: None

    def tell(self, outcome: Outcome) -> None:
        """Print what became of a message."""
        found = None if outcome.number is None else self._found(outcome.number)
        if outcome.error is not None:
            self._complain(found, outcome)
        if outcome.unasked is not None:
            _complain_late(outcome.unasked)
        if self._quiet:
            return
        if self._json and found is not None:
            self._print(json.dumps(self._row(found, outcome)) + "\n")
        elif outcome.reply is not None and not outcome.reply.unasked:
            self._print(readable(outcome.reply.payload, self._encoding) + "\n")

    def conclude(self, summary: Summary, total: int, seconds: float) -> None:
        """Print the summary: for programs always, for people when there is something to sum up."""
        if self._json:
            self._print(json.dumps({"summary": summary.as_object(total, seconds)}) + "\n")
        elif total > 1:
            self._print(summary.as_text(total, seconds))

    def _row(self, found: Found, outcome: Outcome) -> dict[str, object]:
        row: dict[str, object] = {"file": found.file, "number": found.number}
        row["milliseconds"] = round(outcome.seconds * 1000, 3)
        row["fate"] = outcome.fate
        if outcome.reply is None:
            return row | {"error": _code(outcome.error)}
        reply = outcome.reply
        row |= {"code": reply.code, "control_id": reply.control_id, "accepted": reply.accepted}
        shown = "" if reply.unasked else readable(reply.payload, self._encoding)
        return row | {"acknowledgment": shown}

    def _complain(self, found: Found | None, outcome: Outcome) -> None:
        assert outcome.error is not None
        text = describe(outcome.error)
        if found is not None:
            text = f"{found.place}: {text}"
        if outcome.fate == "uncertain":
            text += " (uncertain: the message may have arrived)"
        if text not in self._complaints:  # Each connection fails for itself.
            self._complaints.add(text)
            complain("send", text)

    def _print(self, text: str) -> None:
        failure = write(sys.stdout, text)
        if failure is not None and not isinstance(failure, BrokenPipeError):
            reason = failure.strerror or failure
            complain("send", f"cannot print acknowledgments, sending goes on: {reason}")

    def _found(self, number: int) -> Found:
        return self._messages[number % len(self._messages)]


def _complain_late(unasked: Unasked) -> None:
    for number, fate in (
        (unasked.refused, "refused"),
        (unasked.uncertain, "uncertain: the server may not have read them"),
    ):
        if number:
            complain("send", f"messages that asked for no answer: {number} {fate}")


def _code(error: Exception | None) -> str:
    return error.code if isinstance(error, MllpError) else type(error).__name__

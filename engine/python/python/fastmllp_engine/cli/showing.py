"""How messages are printed, and what ``show --offline`` reads from files."""

import argparse
import dataclasses
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastmllp_engine.cli.asking import data_of
from fastmllp_engine.cli.client import Refused
from fastmllp_engine.cli.printing import (
    counted,
    date,
    moment,
    say,
    say_error,
    say_json,
    say_lines,
    say_table,
)
from fastmllp_engine.records import FoundRecord, JourneyRecord, ReceiptRecord, copied

if TYPE_CHECKING:
    from fastmllp_engine._native import Offline


def say_messages(messages: list[dict[str, Any]]) -> None:
    """Print messages as a table."""
    say_table(
        ("MESSAGE", "RECEIVED", "TYPE", "CONTROL ID", "INBOUND", "BYTES", "DISPOSITION"),
        [
            (
                str(one["id"]),
                moment(one["received_at"]),
                one["message_type"],
                one["control_id"],
                one["inbound"],
                f"{one['length']:,}",
                one["disposition"],
            )
            for one in messages
        ],
    )


def gone(control_id: str, at: int) -> str:
    """Of a control ID that no message has any more."""
    return f'the message with control ID "{control_id}" expired on {date(at)}'


def several(given: argparse.Namespace, found: list[dict[str, Any]], expired_at: int | None) -> int:
    """Print the messages that have a control ID, none or more than one."""
    if not found:
        missing = f'there is no message with control ID "{given.message}"'
        say_error(missing if expired_at is None else gone(given.message, expired_at))
        return 1
    if given.json:
        say_json({"messages": found, "next": None})
    else:
        say(f"{counted(len(found), 'message')} have this control ID; show one by its number:")
        say_messages(found)
    return 0


def say_body(body: bytes) -> None:
    """Print a body: a line for each segment."""
    sys.stdout.flush()
    say_lines(body.decode("utf-8", "backslashreplace").replace("\r", "\n"))


def show_offline(given: argparse.Namespace) -> int:
    """Show a message from the files of a stopped engine or of a backup, with its receipt."""
    from fastmllp_engine._native import EngineError, Offline

    try:
        offline = Offline(data_of(given))
        return _show(given, offline)
    except EngineError as error:
        raise Refused(str(error), error.exit_status) from None


def _show(given: argparse.Namespace, offline: "Offline") -> int:
    if given.message.isdecimal():
        number = int(given.message)
    else:
        found = _with_control_id(offline, given.message)
        if len(found) != 1:
            return several(given, found, offline.expired_control_id(given.message))
        number = found[0]["id"]
    shown = offline.show(number)
    if shown is None:
        raise Refused(_missing(f"message {number}", offline.expired(number)), 1)
    journey, receipt = copied(JourneyRecord, shown[0]), copied(ReceiptRecord, shown[1])
    if given.json:
        say_json(dataclasses.asdict(journey) | {"receipt": dataclasses.asdict(receipt)})
    else:
        say_lines(journey.text)
        say_lines(f"receipt\n{receipt.text.rstrip()}")
    if given.show_phi:
        body = offline.payload(number)
        if body is None:
            raise Refused(_missing(f"body of message {number}", journey.message.body_expired), 1)
        say_body(body)
    return 0


def _with_control_id(offline: "Offline", control_id: str) -> list[dict[str, Any]]:
    """All of them, the newest first."""
    found: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        page = copied(FoundRecord, offline.search(control_id, before=before))
        found += (dataclasses.asdict(one) for one in page.messages)
        before = page.next
        if before is None:
            return found


def _missing(what: str, expired: int | None) -> str:
    if expired is None:
        return f"there is no {what}"
    return f"{what} expired on {datetime.fromtimestamp(expired / 1000, UTC).date()}"

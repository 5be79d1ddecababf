"""``backup restore-check``: a copy of everything that an engine keeps, and the proof of it."""

import argparse
import dataclasses
import sys
import threading
from pathlib import Path
from typing import Any

from fastmllp_engine.api.door import Closed
from fastmllp_engine.cli.asking import Commands, about_an_engine, command, data_of
from fastmllp_engine.cli.client import Client, Refused
from fastmllp_engine.cli.printing import counted, moment, say_json, say_lines, say_verified
from fastmllp_engine.records import BackupRecord, VerifiedRecord, copied

BACKUP_SECONDS = 24 * 3600.0
"""A store of some terabytes takes a while to copy."""

LOOK_SECONDS = 0.5


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    backup = about_an_engine(
        commands,
        "backup",
        _backup,
        "Copy everything that an engine keeps to a new folder.",
        "Of a running engine, while everything goes on, or of one that was stopped. The folder\n"
        "gets its name once it is whole and durable.",
    )
    backup.add_argument("to", type=Path, metavar="FOLDER", help="not there yet")
    check = command(
        commands,
        "restore-check",
        _restore_check,
        "Prove that an engine can be started from a backup.",
        "It is as it was written, and verify finds nothing. Exit status 1: something was found.",
    )
    check.add_argument("backup", type=Path, metavar="FOLDER", help="the backup")


def _backup(given: argparse.Namespace) -> int:
    data, to = data_of(given), given.to.absolute()
    made: dict[str, Any]
    try:
        with _Progress(data):
            made = Client(data, BACKUP_SECONDS).post("/backup", {"to": str(to)})
    except Closed:
        # A store in use is refused there, by whomever it is used.
        made = _back_up_stopped(data, to)
    if given.json:
        say_json(made)
    else:
        say_lines(f"{made['at']}: {counted(made['bytes'], 'byte')}, {moment(made['made_at'])}")
    return 0


def _back_up_stopped(data: Path, to: Path) -> dict[str, Any]:
    from fastmllp_engine._native import EngineError, back_up

    try:
        return dataclasses.asdict(copied(BackupRecord, back_up(data, to)))
    except EngineError as error:
        raise Refused(str(error), error.exit_status) from None


class _Progress:
    """A line on a terminal that says how far a backup has come."""

    def __init__(self, data: Path) -> None:
        self._client = Client(data)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            try:
                state = self._client.get("/backup")
            except (Closed, Refused):
                return
            if state["is_running"] and state["total"]:
                part = state["copied"] / state["total"]
                text = f"\rcopied {part:.0%} of {state['total']:,} bytes"
                print(text, end="", file=sys.stderr, flush=True)


def _restore_check(given: argparse.Namespace) -> int:
    from fastmllp_engine._native import EngineError, restore_check

    try:
        made, proven = restore_check(given.backup)
    except EngineError as error:
        raise Refused(str(error), error.exit_status) from None
    backup, verified = copied(BackupRecord, made), copied(VerifiedRecord, proven)
    if given.json:
        say_json({"backup": dataclasses.asdict(backup), "store": dataclasses.asdict(verified)})
    else:
        say_lines(f"{backup.at}: {counted(backup.bytes, 'byte')}, {moment(backup.made_at)}")
        say_verified(dataclasses.asdict(verified))
    return 1 if verified.findings else 0

"""``retention verify torture``: what the store deletes, and what is proven of it."""

import argparse
import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

from fastmllp_engine.api.door import Closed
from fastmllp_engine.cli.asking import Commands, about_an_engine, client_of, command, data_of
from fastmllp_engine.cli.client import Client, Refused
from fastmllp_engine.cli.printing import say, say_error, say_json, say_verified
from fastmllp_engine.records import VerifiedRecord, copied

VERIFY_SECONDS = 3600.0
"""A store of some hundred gigabytes takes a while to read."""

TORTURE = "fastmllp-torture"

DOUBTS = {
    "jumped": "the clock has jumped: nothing that has expired is deleted until you confirm it",
    "long_away": "the engine was away for long: nothing that has expired is deleted until you "
    "confirm that the clock is right",
}


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    retention = about_an_engine(
        commands,
        "retention",
        _retention,
        "Whether what has expired is deleted.",
        "After the clock has jumped nothing is, until confirm says that the clock is right.",
    )
    retention.add_argument("action", nargs="?", choices=("status", "confirm"), default="status")
    about_an_engine(
        commands,
        "verify",
        _verify,
        "Prove from the store that nothing is lost.",
        "Of a running engine or of one that was stopped. Exit status 1: something was found.",
    )
    torture = command(
        commands,
        "torture",
        _torture,
        "Kill the engine, cut its power and fill its disk, and look for what is lost.",
        f"Runs the program {TORTURE} of the engine's sources with these arguments.",
    )
    torture.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT")


def _retention(given: argparse.Namespace) -> int:
    client = client_of(given)
    if given.action == "confirm":
        client.post("/retention/confirm")
    state = client.get("/retention")
    if given.json:
        say_json(state)
    else:
        say(DOUBTS.get(state["doubt"], "what has expired is deleted"))
    return 1 if state["doubt"] else 0


def _verify(given: argparse.Namespace) -> int:
    data = data_of(given)
    verified: dict[str, Any]
    try:
        verified = Client(data, VERIFY_SECONDS).post("/verify")
    except Closed:
        # A store in use is refused there, by whomever it is used.
        verified = dataclasses.asdict(_verify_stopped(data))
    if given.json:
        say_json(verified)
    else:
        say_verified(verified)
    return 1 if verified["findings"] else 0


def _verify_stopped(data: Path) -> VerifiedRecord:
    from fastmllp_engine._native import EngineError, verify

    try:
        return copied(VerifiedRecord, verify(data))
    except EngineError as error:
        raise Refused(str(error), error.exit_status) from None


def _torture(given: argparse.Namespace) -> int:
    program = shutil.which(TORTURE)
    if program is None:
        say_error(f"the program {TORTURE} is not installed: cargo build --release -p {TORTURE}")
        return 3
    arguments = [one for one in given.arguments if one != "--"]
    return subprocess.run([program, *arguments], check=False).returncode

"""``diff``: what another configuration would make of the messages that an engine has stored."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastmllp_engine.cli.asking import Commands, NoData, about_an_engine, data_of
from fastmllp_engine.cli.client import Client, Refused
from fastmllp_engine.cli.printing import say, say_error, say_json, say_lines
from fastmllp_engine.cli.telling_differences import as_json, lines_of
from fastmllp_engine.comparison import Broken, Difference, Tally, Trial, wiring
from fastmllp_engine.graph import Finding, Place
from fastmllp_engine.graph.snapshot import CONFIGURATIONS

PAGE = 1_000
SECONDS = 10.0
"""For all functions that a message goes through, on each side."""
SHORTEST_HASH = 4


def add_to(commands: Commands) -> None:
    """Add the command."""
    diff = about_an_engine(
        commands,
        "diff",
        _diff,
        "Compare two configurations, and what they would send for stored messages.",
        "A configuration is a folder, or FOLDER@HASH: one that the engine has run, by the\n"
        "beginning of its hash. Nothing is sent. Values are patients' data and shown with\n"
        "--show-phi only. Exit status 1: something differs.",
    )
    diff.add_argument("old", metavar="OLD", help="a folder, or FOLDER@HASH")
    diff.add_argument("new", metavar="NEW", help="the same")
    diff.add_argument(
        "--against-last",
        type=_count,
        metavar="N",
        help="run the last N messages that the engine has received through both",
    )
    diff.add_argument("--env", metavar="NAME", help="the environment of both")
    diff.add_argument(
        "--timeout",
        type=float,
        default=SECONDS,
        metavar="SECONDS",
        help=f"how long the functions may take for a message ({SECONDS:g})",
    )
    diff.add_argument("--show-phi", action="store_true", help="print the segments that differ")


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("it is at least 1")
    return count


def _diff(given: argparse.Namespace) -> int:
    try:
        old, new = (_folder(it, given) for it in (given.old, given.new))
    except ValueError as error:
        say_error(str(error))
        return 2
    try:
        wired = wiring(str(old), str(new), given.env)
    except Broken as error:
        say_error(str(error))
        return 2
    if "refused" in wired:
        return _refuse(wired["refused"], {str(old): given.old, str(new): given.new}, given.json)
    tally = None
    if given.against_last:
        try:
            tally = _compared(given, old, new)
        except Broken as error:
            say_error(str(error))
            return 2
    if given.json:
        say_json(as_json(wired["differences"], tally))
    else:
        say_lines("\n".join(lines_of(wired["differences"], tally)))
    differs = bool(wired["differences"]) or bool(tally and tally.differs)
    if differs and not given.json:
        say("exit status 1")
    return 1 if differs else 0


def _folder(text: str, given: argparse.Namespace) -> Path:
    """The folder that an argument names.

    Raises:
        ValueError: there is none, or more than one.
    """
    folder, at, beginning = text.rpartition("@")
    if not at or Path(text).exists():
        if not Path(text).is_dir():
            raise ValueError(f"{text}: there is no such folder")
        return Path(text)
    data = Path(folder) / "data"
    if given.data is not None or not (data / CONFIGURATIONS).is_dir():
        data = data_of(given)
    if len(beginning) < SHORTEST_HASH or not beginning.isalnum():
        raise ValueError(f"{text}: {SHORTEST_HASH} characters of the hash at least")
    found = sorted((data / CONFIGURATIONS).glob(f"{beginning}*"))
    if len(found) != 1:
        what = "more than one begins" if found else "none begins"
        known = ", ".join(sorted(it.name[:7] for it in (data / CONFIGURATIONS).glob("[!.]*")))
        raise ValueError(f"{text}: {what} like this in {data}; there are: {known or 'none'}")
    return found[0]


def _refuse(refused: dict[str, Any], shown: dict[str, str], json: bool) -> int:
    if json:
        say_json({"refused": {shown[folder]: findings for folder, findings in refused.items()}})
        return 2
    for folder, findings in refused.items():
        for one in findings:
            finding = Finding(Place(**one["place"]), one["text"], one["level"])
            say_error(finding.line(shown[folder]))
    return 2


def _compared(given: argparse.Namespace, old: Path, new: Path) -> Tally:
    client = Client(_data(given))
    tally = Tally()
    sides = (Trial(str(it), given.env, given.timeout) for it in (old, new))
    before, after = sides
    with before, after:
        for message in _last(client, given.against_last):
            found = _compare(client, message, before, after, tally)
            if given.show_phi and not given.json:
                for one in found:
                    _say_segments(message["id"], one)
            if tally.total % PAGE == 0 and sys.stderr.isatty():
                print(f"\r{tally.total:,} messages", end="", file=sys.stderr, flush=True)
    return tally


def _data(given: argparse.Namespace) -> Path:
    try:
        return data_of(given)
    except NoData:
        for text in (given.old, given.new):
            data = Path(text.rpartition("@")[0] or text) / "data"
            if data.is_dir():
                return data
        raise


def _last(client: Client, count: int) -> Iterator[dict[str, Any]]:
    """The newest messages, newest first."""
    before = None
    while count:
        page = client.get("/messages", {"limit": min(count, PAGE), "before": before})
        yield from page["messages"]
        count -= len(page["messages"])
        before = page["next"]
        if before is None:
            return


def _compare(
    client: Client, message: dict[str, Any], old: Trial, new: Trial, tally: Tally
) -> list[Difference]:
    number, inbound = message["id"], message["inbound"]
    if message["disposition"] == "DUPLICATE":
        tally.cannot(number, inbound, "a duplicate, which is not routed")
        return []
    if message["body_expired"] is not None:
        tally.cannot(number, inbound, "its body has expired")
        return []
    try:
        payload = client.get_bytes(f"/messages/{number}/payload")
    except Refused:
        tally.cannot(number, inbound, "its body has expired")
        return []
    for side in (old, new):
        side.begin(inbound, payload, message["received_at"])
    return tally.add(number, inbound, old.outcome(), new.outcome())


def _say_segments(number: int, one: Difference) -> None:
    """The segments that differ, the old ones first."""
    say(f"{number} {one.outbound}")
    sides = [
        (it or b"").decode("utf-8", "backslashreplace").split("\r") for it in (one.old, one.new)
    ]
    for sign, ours, theirs in (("-", sides[0], sides[1]), ("+", sides[1], sides[0])):
        say_lines("\n".join(f"{sign} {it}" for it in ours if it and it not in theirs))

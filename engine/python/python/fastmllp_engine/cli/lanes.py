"""``start stop pause retry lane``: what an operator does to connections and lanes."""

import argparse

from fastmllp_engine.cli.asking import Commands, about_an_engine, client_of
from fastmllp_engine.cli.client import in_path
from fastmllp_engine.cli.printing import counted, safe, say, say_json

STAGES = {"inbound": "ingress", "handler": "routed", "outbound": "outbound"}

DONE = {
    "start": "started",
    "stop": "stopped",
    "pause": "paused",
    "retry": "is tried again now",
}


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    for name, text, more in (
        ("start", "Let messages pass a connection again.", ""),
        (
            "stop",
            "Stop a connection, also across restarts.",
            "An inbound does not listen, an outbound disconnects; what waits stays where it is.",
        ),
        (
            "pause",
            "Pause a connection, also across restarts.",
            "Connections stay open, and nothing passes.",
        ),
        ("retry", "Try the first delivery of a lane now, without the rest of its wait.", ""),
    ):
        added = about_an_engine(commands, name, _operate, text, more)
        added.set_defaults(operation=name)
        added.add_argument("name", metavar="NAME", help="an inbound, outbound or handler")
        _add_kind(added)
        _add_because(added)
    _add_lane(commands)


def _add_lane(commands: Commands) -> None:
    lane = commands.add_parser(
        "lane",
        help="move or cancel what a lane holds that is no longer configured",
        description="Move or cancel what a lane holds that is no longer configured.",
    )
    actions = lane.add_subparsers(metavar="ACTION", required=True)
    move = about_an_engine(actions, "move", _move, "Append what is left to another lane.")
    move.add_argument("old", metavar="OLD", help="what is no longer configured")
    move.add_argument("new", metavar="NEW", help="what is")
    cancel = about_an_engine(
        actions, "cancel", _cancel, "End what is left: its messages end in ERROR."
    )
    cancel.add_argument("old", metavar="OLD", help="what is no longer configured")
    for one in (move, cancel):
        _add_kind(one, "outbound")
        _add_because(one)


def _add_kind(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    said = f" ({default})" if default else "; needed only where a name is that of more than one"
    parser.add_argument("--kind", choices=sorted(STAGES), default=default, help=f"what it is{said}")


def _add_because(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--because", default="", metavar="TEXT", help="why, for others to read")


def _operate(given: argparse.Namespace) -> int:
    body = {
        "because": given.because,
        "stage": STAGES[given.kind] if given.kind else None,
    }
    client_of(given).post(f"/connections/{in_path(given.name)}/{given.operation}", body)
    if given.json:
        say_json({"name": given.name, "operation": given.operation})
    else:
        say(f"{safe(given.name)} {DONE[given.operation]}")
    return 0


def _move(given: argparse.Namespace) -> int:
    return _end(given, "/lanes/move", {"to": given.new}, f"moved to {given.new}")


def _cancel(given: argparse.Namespace) -> int:
    return _end(given, "/lanes/cancel", {}, "cancelled")


def _end(given: argparse.Namespace, path: str, more: dict[str, str], done: str) -> int:
    body = {"stage": STAGES[given.kind], "name": given.old, "because": given.because}
    report = client_of(given).post(path, body | more)
    if given.json:
        say_json(report)
    else:
        count = counted(report["count"], "delivery", "deliveries")
        say(f"{count} of {safe(given.old)} {safe(done)}")
    return 0

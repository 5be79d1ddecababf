"""``dead held replay``: deliveries that were given up, and messages that are sent again."""

import argparse
import sys
import uuid
from typing import Any

from fastmllp_engine.cli.asking import Commands, about_an_engine, client_of
from fastmllp_engine.cli.client import Client
from fastmllp_engine.cli.printing import (
    counted,
    moment,
    safe,
    say,
    say_error,
    say_json,
    say_table,
)

REASONS = {
    "refused_for_good": "refused for good",
    "refused_for_now": "refused for now",
    "transport": "connection failed",
    "no_reply": "no reply",
    "content": "function failed",
    "infrastructure": "fault of the engine",
    "credential": "not let in by the partner",
}
PAGE = 1_000

AFTER_NEWER = "; newer ones of its lane or key are delivered"
KEY_HELP = "of this job: the same key again appends nothing again (a new one for each run)"


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    dead = about_an_engine(
        commands, "dead", _dead, "Deliveries that are dead, by outbound and reason."
    )
    _add_list(dead)
    _add_held(commands)
    _add_replay(commands)


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outbound", metavar="NAME", help="only those of this outbound")
    parser.add_argument("--list", action="store_true", help="a line for each delivery")
    parser.add_argument("--after", metavar="PLACE", help="with --list: where the last page ended")
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="with --list: so many (100)"
    )


def _add_held(commands: Commands) -> None:
    held = about_an_engine(
        commands,
        "held",
        _held,
        "Deliveries that are held: list, release or cancel them.",
        "release appends them to their lanes again; cancel ends them, and their messages in ERROR.",
    )
    held.add_argument("action", nargs="?", choices=("list", "release", "cancel"), default="list")
    held.add_argument(
        "messages", type=int, nargs="*", metavar="MESSAGE", help="only of these messages"
    )
    _add_list(held)
    _add_job(held)


def _add_replay(commands: Commands) -> None:
    replay = about_an_engine(
        commands,
        "replay",
        _replay,
        "Send dead deliveries again, or messages.",
        "Without numbers: dead deliveries of an outbound or with a reason. With numbers alone:\n"
        "these messages are routed again, or sent as received with --to. It asks before it acts.",
    )
    replay.add_argument("messages", type=int, nargs="*", metavar="MESSAGE", help="its number")
    replay.add_argument("--outbound", metavar="NAME", help="dead deliveries of this outbound")
    replay.add_argument("--dead", action="store_true", help="dead deliveries, of all outbounds")
    replay.add_argument(
        "--failure", choices=sorted(REASONS), help="only with this class of failure"
    )
    replay.add_argument(
        "--reason", metavar="TEXT", help="only where the partner's last words have this in them"
    )
    replay.add_argument("--to", metavar="OUTBOUND", help="send them there instead")
    replay.add_argument("--list", action="store_true", help="list what is meant, and do nothing")
    _add_job(replay)


def _add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--key", help=KEY_HELP)
    parser.add_argument("--because", default="", metavar="TEXT", help="why, for the journeys")


def _dead(given: argparse.Namespace) -> int:
    return _say_given_up(given, "/dead-letters", "dead")


def _held(given: argparse.Namespace) -> int:
    if given.action == "list":
        return _say_given_up(given, "/held", "held")
    client = client_of(given)
    selection = {"outbound": given.outbound, "messages": given.messages}
    count = (
        len(given.messages) or client.get("/held/summary", {"outbound": given.outbound})["total"]
    )
    if not count:
        say_error("nothing is held" + (f" in {given.outbound}" if given.outbound else ""))
        return 1
    if not _agreed(given, f"{given.action} {count:,}?"):
        return 1
    return _say_job(given, client.post(f"/held/{given.action}", {**selection, **_job(given)}))


def _say_given_up(given: argparse.Namespace, path: str, word: str) -> int:
    client = client_of(given)
    if given.list:
        page = client.get(
            path, {"outbound": given.outbound, "after": given.after, "limit": given.limit}
        )
        if given.json:
            say_json(page)
        else:
            _say_deliveries(page["deliveries"])
            if page["next"]:
                say(f"there may be more: --after {page['next']}")
        return 0
    summary = client.get(f"{path}/summary", {"outbound": given.outbound})
    if given.json:
        say_json(summary)
    elif not summary["total"]:
        say(f"nothing is {word}")
    else:
        say_table(
            ("OUTBOUND", "REASON", word.upper(), "OLDEST", "CONTROL IDS"),
            [
                (
                    one["outbound"],
                    _reason(one),
                    f"{one['count']:,}",
                    moment(one["oldest"]),
                    " ".join(one["control_ids"]),
                )
                for one in summary["groups"]
            ],
        )
    return 0


def _say_deliveries(deliveries: list[dict[str, Any]]) -> None:
    say_table(
        ("MESSAGE", "CONTROL ID", "OUTBOUND", "SINCE", "ATTEMPTS", "REASON"),
        [
            (
                str(one["message"]),
                one["control_id"],
                one["outbound"],
                moment(one["at"]),
                str(one["attempts"]),
                _reason(one) + (AFTER_NEWER if one.get("after_newer") else ""),
            )
            for one in deliveries
        ],
    )


def _reason(one: dict[str, Any]) -> str:
    why = REASONS.get(one["failure"], "by an operator")
    return f"{why}, {one['said']}" if one["said"] else why


def _replay(given: argparse.Namespace) -> int:
    client = client_of(given)
    is_dead = bool(given.dead or given.outbound or given.failure or given.reason is not None)
    if not is_dead and not given.messages:
        say_error("which ones? give numbers of messages, --outbound NAME, --reason TEXT or --dead")
        return 2
    wanted: dict[str, Any] = {"messages": given.messages, "to_outbound": given.to}
    path = "/messages/replay"
    if is_dead:
        path = "/dead-letters/replay"
        wanted |= {"outbound": given.outbound, "failure": given.failure}
        if given.reason is not None or given.list:
            chosen = _chosen(client, given)
            wanted["messages"] = [one["message"] for one in chosen]
            if given.list:
                return _list_chosen(client, given, chosen)
    return _send_again(client, given, path, wanted, is_dead)


def _list_chosen(client: Client, given: argparse.Namespace, chosen: list[dict[str, Any]]) -> int:
    """What would be sent again, and which of them come after newer messages."""
    for outbound in {one["outbound"] for one in chosen}:
        mine = [one for one in chosen if one["outbound"] == outbound]
        wanted = {"outbound": outbound, "failure": given.failure, "to_outbound": given.to}
        after_newer = _after_newer(client, wanted, sorted({one["message"] for one in mine}))
        for one in mine:
            one["after_newer"] = one["message"] in after_newer
    if given.json:
        say_json(chosen)
    else:
        _say_deliveries(chosen)
    return 0 if chosen else 1


def _after_newer(client: Client, wanted: dict[str, Any], messages: list[int]) -> set[int]:
    """Those of some dead messages of an outbound that come after newer ones. The engine counts, so
    halves are asked for until all of one are, or none."""
    report = client.post("/dead-letters/replay/preview", {**wanted, "messages": messages})
    if not report["newer"]:
        return set()
    if report["newer"] == report["total"] or len(messages) == 1:
        return set(messages)
    half = len(messages) // 2
    first, second = messages[:half], messages[half:]
    return _after_newer(client, wanted, first) | _after_newer(client, wanted, second)


def _send_again(
    client: Client, given: argparse.Namespace, path: str, wanted: dict[str, Any], is_dead: bool
) -> int:
    what = ("delivery", "deliveries") if is_dead else ("message", "messages")
    if given.reason is not None and not wanted["messages"]:
        say_error("no dead delivery has this reason")
        return 1
    report = client.post(f"{path}/preview", wanted)
    # With a key it may be a job that was done already, whose report is wanted.
    if not report["total"] and not given.key:
        say_error(f"no {what[0]} is like that")
        return 1
    where = given.to or given.outbound
    if not given.json:
        tail = f", appended at the tail of {safe(where)}" if where else ", appended at the tail"
        say(f"{counted(report['total'], *what)}, in the order they were received{tail}.")
        if report["newer"]:
            say(
                f"{report['newer']:,} of them come after newer messages that are already delivered."
            )
    if not _agreed(given, f"replay {report['total']:,}?"):
        return 1
    return _say_job(given, client.post(path, {**wanted, **_job(given)}))


def _chosen(client: Client, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The dead deliveries that are meant: their reasons are compared here."""
    chosen: list[dict[str, Any]] = []
    after = None
    wanted = set(given.messages)
    while True:
        query = {"outbound": given.outbound, "after": after, "limit": PAGE}
        page = client.get("/dead-letters", query)
        chosen += (
            one
            for one in page["deliveries"]
            if (not wanted or one["message"] in wanted)
            and (given.failure in (None, one["failure"]))
            and (given.reason or "") in one["said"]
        )
        after = page["next"]
        if after is None:
            return chosen


def _agreed(given: argparse.Namespace, question: str) -> bool:
    """Whether the operator says yes. Somebody who cannot be asked has not."""
    if given.yes:
        return True
    if not sys.stdin.isatty() and given.json:
        say_error("give --yes: with --json there is no question")
        return False
    print(f"{question} [y/N] ", end="", flush=True)
    answer = sys.stdin.readline()
    if answer.strip().casefold() in ("y", "yes"):
        return True
    say("nothing was done")
    return False


def _job(given: argparse.Namespace) -> dict[str, str]:
    return {"key": given.key or uuid.uuid4().hex, "because": given.because}


def _say_job(given: argparse.Namespace, report: dict[str, Any]) -> int:
    if given.json:
        say_json(report)
    else:
        say(f"{report['done']:,} of {report['total']:,} done")
    return 0 if report["done"] == report["total"] else 1

"""``status messages show why``: what an engine says of itself and its messages."""

import argparse
import sys
import time
from typing import Any

from fastmllp_engine.cli.asking import Commands, about_an_engine, client_of, message_numbers
from fastmllp_engine.cli.client import Client
from fastmllp_engine.cli.printing import (
    counted,
    moment,
    safe,
    say,
    say_json,
    say_lines,
    say_table,
    seconds,
)
from fastmllp_engine.cli.showing import gone, say_body, say_messages, several, show_offline

STAGES = {"ingress": "inbound", "routed": "handler", "outbound": "outbound"}
DAY = 24 * 60 * 60 * 1000
NEAR_DAYS = 30
"""Certificates that are valid longer need no look."""
DISPOSITIONS = ("RECEIVED", "ROUTED", "UNROUTED", "FILTERED", "PROCESSED", "ERROR", "DUPLICATE")


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    about_an_engine(commands, "status", _status, "How the engine and its connections stand.")
    about_an_engine(
        commands,
        "metrics",
        _metrics,
        "Counters since the start, and how lanes stand, as Prometheus reads them.",
    )
    _add_messages(commands)
    show = about_an_engine(
        commands,
        "show",
        _show,
        "What has happened to a message.",
        "A control ID that more than one message has lists them all.",
    )
    show.add_argument("message", metavar="MESSAGE", help="its number, or its control ID")
    show.add_argument("--show-phi", action="store_true", help="and its body: a patient's data")
    show.add_argument(
        "--offline",
        action="store_true",
        help="read the files of a stopped engine or of a backup (--data), and add the receipt",
    )
    why = about_an_engine(
        commands, "why", _why, "Why a message is not yet delivered, or what became of it."
    )
    message_numbers(why, "+")


def _add_messages(commands: Commands) -> None:
    messages = about_an_engine(commands, "messages", _messages, "Find messages, newest first.")
    messages.add_argument("--control-id", metavar="ID")
    messages.add_argument("--type", metavar="TYPE", help="such as ADT^A08")
    messages.add_argument("--connection", metavar="NAME", help="the inbound, handler or outbound")
    messages.add_argument("--disposition", choices=DISPOSITIONS, type=str.upper)
    messages.add_argument(
        "--field",
        action="append",
        metavar="PATH=VALUE",
        help="a field that its inbound indexes, such as PID-3.1=1002; may be given again",
    )
    messages.add_argument("--before", type=int, metavar="MESSAGE", help="only with lower numbers")
    messages.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (20)")


def _metrics(given: argparse.Namespace) -> int:
    text = client_of(given).get_bytes("/metrics").decode()
    if given.json:
        say_json(text)
    else:
        say_lines(text.rstrip("\n"))
    return 0


def _status(given: argparse.Namespace) -> int:
    status = client_of(given).get("/status")
    if given.json:
        say_json(status)
        return 0
    engine, store = status["engine"], status["store"]
    environment = f" ({engine['environment']})" if engine["environment"] else ""
    say(
        f"{safe(engine['folder'])}{safe(environment)}  configuration {engine['configuration'][:7]}"
        f"  running since {moment(engine['started_at'])}  process {engine['pid']}"
    )
    trouble = f": {store['trouble']}" if store["trouble"] else ""
    since = f" since {moment(store['since'])}" if store["since"] else ""
    say(f"store {store['state'].replace('_', ' ')}{trouble}{since}")
    if status["retention_doubt"]:
        say("the clock is in doubt: nothing that has expired is deleted (retention confirm)")
    for alert in status["alerts"]:
        about = f"{alert['connection']}: " if alert["connection"] else ""
        say(f"alert since {moment(alert['since'])}: {safe(about)}{safe(alert['text'])}")
    for trouble in status["alert_troubles"]:
        say(safe(trouble))
    say_table(
        ("NAME", "KIND", "WAITING", "STATE"),
        [
            (lane["name"], STAGES[lane["stage"]], f"{lane['depth']:,}", _state(lane))
            for lane in status["lanes"]
        ],
    )
    if status["certificates"]:
        _say_certificates(status["certificates"])
    return 0


def _say_certificates(certificates: list[dict[str, Any]]) -> None:
    now = time.time() * 1000
    say("")
    say_table(
        ("CERTIFICATE", "OF", "VALID UNTIL", ""),
        [
            (
                one["connection"],
                "the engine" if one["whose"] == "own" else "the partner",
                moment(one["valid_until"]),
                _left(one["valid_until"] - now),
            )
            for one in certificates
        ],
    )


def _left(milliseconds: float) -> str:
    """How long a certificate is valid yet, where that is not long."""
    days = int(milliseconds // DAY)
    if milliseconds < 0:
        return "EXPIRED"
    return f"{counted(days, 'day')} left" if days < NEAR_DAYS else ""


def _state(lane: dict[str, Any]) -> str:
    said = []
    if lane["is_orphaned"]:
        said.append("no longer configured")
    for side in ("input", "output"):
        setting = lane[side]
        if setting and setting["flow"] != "on":
            who = setting["by"] or "the engine"
            because = f": {setting['reason']}" if setting["reason"] else ""
            said.append(f"{setting['flow']} by {who} since {moment(setting['since'])}{because}")
    if lane["is_full"]:
        said.append("full")
    if lane["hours"] and not lane["hours"]["is_open"]:
        opens = lane["hours"]["until"]
        said.append("outside of its schedule" + (f", opens {moment(opens)}" if opens else ""))
    if lane["stage"] == "outbound" and not said:
        said.append(_reach(lane))
    if lane["stalled_for"]:
        said.append(f"stalled: nothing done for {seconds(lane['stalled_for'])}")
    if lane["attempt"] and lane["head"] is not None:
        due = f", next in {seconds(lane['due_in'])}" if lane["due_in"] else ""
        said.append(f"message {lane['head']}: {counted(lane['attempt'], 'attempt')}{due}")
    return "; ".join(one for one in said if one)


def _reach(lane: dict[str, Any]) -> str:
    if lane["ready"]:
        return "connected"
    return f"not connected: {lane['lost']}" if lane["lost"] else "not connected"


def _messages(given: argparse.Namespace) -> int:
    client = client_of(given)
    found = _search(client, given)
    if given.json:
        say_json(found)
    elif not found["messages"]:
        at = _expired(client, given.control_id) if given.control_id else None
        say("no message is like that" if at is None else gone(given.control_id, at))
    else:
        say_messages(found["messages"])
        if found["next"] is not None:
            say(f"there may be more: --before {found['next']}")
    return 0 if found["messages"] else 1


def _search(client: Client, given: argparse.Namespace) -> dict[str, Any]:
    """The first page that has something: a page may be empty though there is more."""
    before = given.before
    while True:
        found: dict[str, Any] = client.get(
            "/messages",
            {
                "control_id": given.control_id,
                "message_type": given.type,
                "connection": given.connection,
                "disposition": given.disposition,
                "field": given.field or [],
                "before": before,
                "limit": given.limit,
            },
        )
        if found["messages"] or found["next"] is None:
            return found
        before = found["next"]


def _show(given: argparse.Namespace) -> int:
    if given.offline:
        return show_offline(given)
    client = client_of(given)
    number: str | int = given.message
    if not given.message.isdecimal():
        found = client.get("/messages", {"control_id": given.message, "limit": 100})["messages"]
        if len(found) != 1:
            return several(given, found, None if found else _expired(client, given.message))
        number = found[0]["id"]
    journey = client.get(f"/messages/{number}/journey")
    if given.json:
        say_json(journey)
    else:
        say_lines(journey["text"])
        for trace in client.get(f"/messages/{number}/traces"):
            say_lines(f"trace of {trace['function']}\n{trace['text']}")
    if given.show_phi:
        sys.stdout.flush()
        say_body(client.get_bytes(f"/messages/{number}/payload"))
    return 0


def _expired(client: Client, control_id: str) -> int | None:
    """When the newest message with a control ID went; None: it is not known that there was one."""
    at: int | None = client.get("/messages/expired", {"control_id": control_id})["expired_at"]
    return at


def _why(given: argparse.Namespace) -> int:
    client = client_of(given)
    answers = [client.get(f"/messages/{number}/why") for number in given.messages]
    if given.json:
        say_json(answers if len(answers) > 1 else answers[0])
        return 0
    for answer in answers:
        say_lines(answer["text"])
    return 0

"""``dryrun``: what a configuration would make of the messages in a file."""

import argparse
import sys
from pathlib import Path
from typing import Any

from fastmllp.hl7.files import FileError, read_messages

from fastmllp_engine._native import differences
from fastmllp_engine.cli.asking import Commands, command
from fastmllp_engine.cli.printing import safe, say, say_error, say_json, say_lines
from fastmllp_engine.cli.running import loaded
from fastmllp_engine.graph import Inbound, Registry, Run, run, second_run_differs


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    dryrun = command(
        commands,
        "dryrun",
        _dryrun,
        "Run the messages of a file through a configuration, and send nothing.",
        "Shows what each destination would get: which fields differ from what was received.\n"
        "Values are patients' data and shown with --show-phi only.\n"
        "Exit status 1: a function has failed.",
    )
    dryrun.add_argument("folder", metavar="DIR", help="the configuration")
    dryrun.add_argument("file", metavar="FILE", type=Path, help="messages, as text or as frames")
    dryrun.add_argument("--inbound", metavar="NAME", help="which receives them (the only one)")
    dryrun.add_argument("--env", metavar="NAME", help="the environment")
    dryrun.add_argument(
        "--twice", action="store_true", help="run each twice, and report what is not pure"
    )
    dryrun.add_argument("--show-phi", action="store_true", help="print what would be sent")


def _dryrun(given: argparse.Namespace) -> int:
    registry = loaded(given)
    if registry is None:
        return 2
    inbound = _inbound(registry, given.inbound)
    if inbound is None:
        return 2
    try:
        payloads = read_messages(given.file.read_bytes()).payloads
    except OSError as error:
        say_error(f"{given.file} cannot be read: {error.strerror}")
        return 2
    except FileError as error:
        say_error(f"{given.file} {error}")
        return 2
    # What functions print is not of this command, and may be of a patient.
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        runs = [(payload, _run(registry, inbound, payload, given.twice)) for payload in payloads]
    finally:
        sys.stdout = out
    if given.json:
        say_json([_as_json(payload, run, given.show_phi) for payload, run in runs])
    else:
        for number, (payload, run) in enumerate(runs, 1):
            _say_run(number, payload, run, given.show_phi)
    return 1 if any(run.failures for _, run in runs) else 0


def _run(registry: Registry, inbound: Inbound, payload: bytes, twice: bool) -> Run:
    made = run(registry, inbound, payload)
    if twice:
        again = run(registry, inbound, payload)
        made.failures += second_run_differs(made, again, inbound.encoding)
    return made


def _inbound(registry: Registry, name: str | None) -> Inbound | None:
    if name is None and len(registry.inbounds) == 1:
        return next(iter(registry.inbounds.values()))
    if name is not None and name in registry.inbounds:
        return registry.inbounds[name]
    names = ", ".join(registry.inbounds) or "none"
    say_error(f"which inbound receives them? give one of: {names}")
    return None


def _control_id(payload: bytes) -> str:
    fields = payload.partition(b"\r")[0].split(payload[3:4] or b"|")
    return fields[9].decode("utf-8", "backslashreplace") if len(fields) > 9 else ""


def _as_json(payload: bytes, run: Run, show_phi: bool) -> dict[str, Any]:
    sends = []
    for send in run.sent:
        one: dict[str, Any] = {"handler": send.handler, "to": send.to}
        one["differs"] = differences(payload, send.payload)
        if show_phi:
            one["payload"] = send.payload.decode("utf-8", "backslashreplace")
        sends.append(one)
    return {
        "control_id": _control_id(payload),
        "routed": [{"router": it.router, "handlers": [*it.handlers]} for it in run.routed],
        "sends": sends,
        "failures": run.failures,
        "disposition": run.disposition,
    }


def _say_run(number: int, payload: bytes, run: Run, show_phi: bool) -> None:
    say(f"{number}  control ID {safe(_control_id(payload))}  {run.disposition}")
    for routed in run.routed:
        say(f"routed        {routed.router} -> {', '.join(routed.handlers) or 'nothing'}")
    for send in run.sent:
        differs = differences(payload, send.payload)
        count = len(differs)
        fields = f"{count} {'field differs' if count == 1 else 'fields differ'}: "
        said = fields + ", ".join(differs) if differs else "unchanged"
        say(safe(f"transformed   {send.handler} -> {send.to} ({said})"))
        if show_phi:
            say_lines(_text(send.payload))
    for failure in run.failures:
        say(safe(f"failed        {failure}"))


def _text(payload: bytes) -> str:
    """A message with a line for each segment."""
    return payload.decode("utf-8", "backslashreplace").rstrip("\r").replace("\r", "\n")

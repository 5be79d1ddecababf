"""``init check graph``: a configuration begun, checked, and shown."""

import argparse
import dataclasses
from pathlib import Path

from fastmllp_engine.cli.asking import Commands, command
from fastmllp_engine.cli.printing import say, say_error, say_json, say_lines
from fastmllp_engine.cli.running import loaded
from fastmllp_engine.graph import as_json, as_mermaid, as_svg, as_text, check, init

PICTURES = {"text": as_text, "mermaid": as_mermaid, "svg": as_svg, "json": as_json}


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    begun = command(
        commands,
        "init",
        _init,
        "Begin a configuration: an inbound, a router, a handler, an outbound and golden tests.",
    )
    begun.add_argument("folder", metavar="DIR", help="where it is written; nothing is overwritten")
    checked = command(
        commands,
        "check",
        _check,
        "Check a configuration: everything that is wrong, at once.",
        "Runs its golden tests too; nothing is sent or stored. Exit status 1: only golden tests\n"
        "differ; 2: it is refused.",
    )
    shown = command(commands, "graph", _graph, "Show how a configuration is wired.")
    shown.add_argument("--format", choices=sorted(PICTURES), default="text")
    for one in (checked, shown):
        one.add_argument("folder", metavar="DIR", help="the configuration")
        one.add_argument("--env", metavar="NAME", help="the environment")
        one.add_argument("--data", type=Path, metavar="DATA", help="the data folder, if in DIR")


def _init(given: argparse.Namespace) -> int:
    try:
        written = init(given.folder)
    except OSError as error:
        say_error(f"{given.folder}: {error.strerror or error}")
        return 2
    if given.json:
        say_json([str(path) for path in written])
        return 0
    for path in written:
        say_lines(f"wrote {path}")
    say_lines(f"next: fastmllp-engine check {given.folder}; fastmllp-engine serve {given.folder}")
    return 0


def _check(given: argparse.Namespace) -> int:
    report = check(given.folder, given.env, data=given.data)
    if given.json:
        findings = [dataclasses.asdict(it) for it in report.findings]
        say_json({"findings": findings, "tests": report.tests, "status": report.status})
        return report.status
    say_lines("\n".join(report.lines()))
    return report.status


def _graph(given: argparse.Namespace) -> int:
    registry = loaded(given, given.data)
    if registry is None:
        return 2
    form = "json" if given.json else given.format
    say(PICTURES[form](registry).rstrip("\n"))
    return 0

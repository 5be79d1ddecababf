"""`check`: a configuration loaded, its wiring looked at, and its golden tests run."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.findings import Finding, Place, in_order
from fastmllp_engine.graph.folder import read_folder
from fastmllp_engine.graph.golden import run_tests
from fastmllp_engine.graph.kinds import MISSING
from fastmllp_engine.graph.loader import examine
from fastmllp_engine.graph.registry import Registry, counted
from fastmllp_engine.graph.transports import Transports


@dataclass(frozen=True)
class Report:
    """What `check` has found."""

    folder: str
    """As it was given."""
    findings: tuple[Finding, ...]
    """Everything that is wrong, and notes, in the order of the places."""
    tests: int
    """How many golden tests ran."""
    registry: Registry | None
    """The graph, if nothing is wrong with the configuration itself."""
    summary: str
    """Such as ``2 connections, 1 router, 1 handler, 3 golden tests``; with errors their number."""

    @property
    def status(self) -> int:
        """The exit status: 0 nothing is wrong, 1 only golden tests differ, 2 it is refused."""
        levels = {finding.level for finding in self.findings}
        return 2 if "error" in levels else 1 if "golden" in levels else 0

    def lines(self) -> list[str]:
        """All that is printed."""
        return [*(finding.line(self.folder) for finding in self.findings), self.summary]


def check(
    folder: str | os.PathLike[str],
    environment: str | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    variables: Mapping[str, str] | None = None,
    twice: bool = True,
) -> Report:
    """Check a configuration. Nothing is sent, listened at or stored.

    Golden tests hold messages of the user's own: their values stand in the report.

    Args:
        folder: The configuration.
        environment: As for `load`.
        data: As for `load`.
        variables: As for `load`.
        twice: Whether each golden test runs twice, to find functions that are not pure.
    """
    read = read_folder(folder, data)
    registry, loaded = examine(read, environment, variables=variables)
    findings, tests = list(loaded), 0
    findings += (Finding(Place(""), text, "note") for text in Transports().faults())
    findings += _notes(registry) if registry else ()
    for result in run_tests(read.path, registry, twice=twice) if registry else ():
        if result is None:
            tests += 1
        else:
            findings.append(result)
    is_wrong = sum(finding.level != "note" for finding in findings)
    if registry is None or any(finding.level == "error" for finding in findings):
        registry = None
    good = registry.summary if registry else ""
    return Report(
        read.shown,
        in_order(findings),
        tests,
        registry,
        counted(is_wrong, "error") if is_wrong else f"{good}, {counted(tests, 'golden test')}",
    )


def _notes(registry: Registry) -> Iterator[Finding]:
    connections: list[Inbound | Outbound] = [*registry.inbounds.values()]
    connections += registry.outbounds.values()
    for one in connections:
        if one.spec is not MISSING:
            for text in one.spec.noted():
                yield Finding(one.place, f"{one.subject}: {text}", "note")

"""Golden tests: messages of ``tests/INBOUND/`` and what has to be sent for each."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fastmllp_engine.graph.connections import Inbound
from fastmllp_engine.graph.fields import differences
from fastmllp_engine.graph.findings import Finding, Place, did_you_mean
from fastmllp_engine.graph.folder import name_of
from fastmllp_engine.graph.options import ContentType
from fastmllp_engine.graph.registry import Registry
from fastmllp_engine.graph.running import Run, run, second_run_differs

MAX_SHOWN = 5
"""Differences of one message that are listed."""

_EXPECTED = re.compile(r"(.+?)(?:\.(\d+))?")


def run_tests(root: Path, registry: Registry, *, twice: bool) -> Iterator[Finding | None]:
    """Run the golden tests of a configuration.

    ``tests/IB_ADT/a40.hl7`` is received by IB_ADT. Exactly the files of
    ``tests/IB_ADT/a40.expected/`` must be sent: ``OB_LAB.hl7`` to OB_LAB, and ``OB_LAB.2.hl7``
    after it. Without that folder nothing may be sent. Lines may end as an editor ends them.

    Args:
        root: The folder of the configuration.
        registry: Its graph.
        twice: Run each message twice, and complain if something else is sent.

    Yields:
        None for each test that was run, and what is wrong.
    """
    tests = root / "tests"
    for folder in sorted(it for it in tests.glob("*") if it.is_dir() and it.name[0] != "."):
        inbound = registry.inbounds.get(name_of(folder.name))
        place = Place(name_of(folder.relative_to(root)))
        if inbound is None:
            name = name_of(folder.name)
            near = did_you_mean(name, registry.inbounds)
            yield Finding(place, f'golden tests of "{name}", which is no inbound{near}')
            continue
        messages = sorted(it for it in folder.iterdir() if it.suffix == ".hl7" and it.is_file())
        known = {it.stem for it in messages}
        for expected in sorted(folder.glob("*.expected")):
            if expected.name.removesuffix(".expected") not in known:
                at = Place(name_of(expected.relative_to(root)))
                yield Finding(
                    at, f"there is no {name_of(expected.stem)}.hl7 that this is expected of"
                )
        for file in messages:
            yield None
            yield from GoldenTest(root, registry, inbound, file).run(twice)


class GoldenTest:
    """One message, and what has to be sent because of it."""

    def __init__(self, root: Path, registry: Registry, inbound: Inbound, file: Path) -> None:
        self._registry = registry
        self._inbound = inbound
        self._file = file
        self._expected = file.with_suffix(".expected")
        self._place = Place(name_of(file.relative_to(root)))

    def run(self, twice: bool) -> Iterator[Finding]:
        """What is wrong; with ``twice`` also what a second run of it makes otherwise."""
        payload = self._read(self._file)
        first = run(self._registry, self._inbound, payload)
        for text in first.failures:
            yield self._finding(text)
        yield from self._compare(first)
        if twice:
            second = run(self._registry, self._inbound, payload)
            for text in second_run_differs(first, second, self._inbound.encoding):
                yield self._finding(text)

    def _compare(self, made: Run) -> Iterator[Finding]:
        wanted = dict(self._wanted())
        counts: dict[str, int] = {}
        for sent in made.sent:
            to, payload = sent.to, sent.payload
            counts[to] = number = counts.get(to, 0) + 1
            file = wanted.pop((to, number), None)
            if file is None:
                which = f"message {number}" if number > 1 else "a message"
                yield self._finding(f"{to}: {which} is sent that is not expected")
            else:
                yield from self._differ(to, payload, file)
        for (to, _), file in sorted(wanted.items()):
            near = (
                "" if to in self._registry.outbounds else did_you_mean(to, self._registry.outbounds)
            )
            yield self._finding(f"{to}: nothing is sent, expected {self._shown(file)}{near}")

    def _wanted(self) -> Iterator[tuple[tuple[str, int], Path]]:
        for file in sorted(self._expected.glob("*.hl7")):
            name = name_of(file.stem)
            parts = _EXPECTED.fullmatch(name)
            if name in self._registry.outbounds or parts is None:
                yield (name, 1), file
            else:
                yield (parts[1], int(parts[2] or 1)), file

    def _differ(self, to: str, payload: bytes, file: Path) -> Iterator[Finding]:
        expected = self._read(file)
        if payload.rstrip(b"\r") == expected.rstrip(b"\r"):
            return
        found = list(differences(self._text(payload), self._text(expected)))
        if self._inbound.content_type != ContentType.HL7V2 or not found:
            at = len(os.path.commonprefix([payload, expected]))
            yield self._finding(f"{to}: differs from byte {at + 1} on ({self._shown(file)})")
            return
        for one in found[:MAX_SHOWN]:
            yield self._finding(f"{to}: {one.text} ({self._shown(file)}:{one.line})")
        if len(found) > MAX_SHOWN:
            yield self._finding(f"{to}: {len(found) - MAX_SHOWN} more differences")

    def _read(self, file: Path) -> bytes:
        content = file.read_bytes()
        if self._inbound.content_type == ContentType.HL7V2:
            lines = content.replace(b"\r\n", b"\r").replace(b"\n", b"\r").rstrip(b"\r")
            return lines + b"\r"
        return content

    def _text(self, payload: bytes) -> str:
        return payload.decode(self._inbound.encoding, "backslashreplace")

    def _shown(self, file: Path) -> str:
        return name_of(file.relative_to(self._file.parent))

    def _finding(self, text: str) -> Finding:
        return Finding(self._place, text, "golden")

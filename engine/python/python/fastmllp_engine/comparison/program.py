"""The program of a comparison's process: it loads a configuration, and runs messages through it.

Arguments: ``wiring OLD NEW [ENVIRONMENT]`` writes how two configurations differ;
``run FOLDER [ENVIRONMENT]`` writes what each message that it reads would become.
"""

import dataclasses
import os
import signal
from collections.abc import Sequence
from typing import Any, BinaryIO

from fastmllp_engine.comparison import frames
from fastmllp_engine.graph import ConfigurationError, Registry, difference, load, run


def main(arguments: Sequence[str]) -> int:
    """Run the program, and return its exit status."""
    # Control-C at a terminal goes to every process there; the command decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What functions print may be of a patient, and would get into what this process says.
    messages, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    what, *rest = arguments
    if what == "wiring":
        frames.write(said, _wiring(*rest))
    else:
        _run(messages, said, *rest)
    return 0


def _wiring(old: str, new: str, environment: str | None = None) -> Any:
    registries: list[Registry] = []
    refused: dict[str, Any] = {}
    for folder in (old, new):
        try:
            registries.append(load(folder, environment))
        except ConfigurationError as error:
            refused[folder] = [dataclasses.asdict(it) for it in error.findings]
    if refused:
        return {"refused": refused}
    return {"differences": difference(*registries)}


def _run(messages: BinaryIO, said: BinaryIO, folder: str, environment: str | None = None) -> None:
    try:
        registry = load(folder, environment)
    except ConfigurationError as error:
        frames.write(said, {"refused": str(error)})
        return
    frames.write(said, {})
    while got := frames.read(messages):
        (name, received), (payload,) = got
        inbound = registry.inbounds.get(name)
        if inbound is None:
            frames.write(said, {"known": False, "sent": [], "failures": []})
            continue
        made = run(registry, inbound, payload, received=received)
        frames.write(
            said,
            {
                "known": True,
                "sent": [[it.handler, it.to] for it in made.sent],
                "failures": made.failures,
            },
            [it.payload for it in made.sent],
        )

"""One and two processes on one port."""

import os
from statistics import median

from measure.load import PIPELINES, Generator
from measure.programs import Programs
from measure.server import Server

# Two servers and the load generator.
CORES = 3


def reason_against() -> str | None:
    """Why it cannot be measured here."""
    cores = len(os.sched_getaffinity(0))
    return None if cores >= CORES else f"not measurable here: {cores} cores"


def workers(programs: Programs, generator: Generator, rounds: int) -> float:
    """How many times the rate of one worker two of them have."""
    one, two = (
        Server(
            f"fastmllp serve --workers {count}",
            ("-m", "fastmllp", "serve", "--host=127.0.0.1", "--port=0", "--log-level=warning")
            + (f"--workers={count}",),
        )
        for count in (1, 2)
    )
    ratios = []
    with one.running(programs) as alone, two.running(programs) as both:
        for _ in range(rounds):
            rates = [generator.load(running, PIPELINES).per_second for running in (both, alone)]
            ratios.append(rates[0] / rates[1])
    return median(ratios)

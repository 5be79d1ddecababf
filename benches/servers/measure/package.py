"""The Python package in process, and its asyncio client."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure.load import ONE_PIPELINE, Generator, WrongAnswerError
from measure.programs import SERVERS, Programs
from measure.server import FASTMLLP

MESSAGES = ("250B", "ADT", "ORU")
ROUNDS = 9
ROUND_SECONDS = 0.03


@dataclass(frozen=True)
class InProcess:
    """Microseconds per message by message and contestant, one for each round."""

    times: dict[str, dict[str, list[float]]]

    def time(self, message: str, contestant: str) -> float | None:
        """The median."""
        times = self.times[message].get(contestant)
        return median(times) if times else None

    def times_faster(self, message: str, than: str) -> float | None:
        """How many times faster our batch is: the median of the ratios within each round."""
        pairs = zip(self.times[message].get(than, ()), self.times[message]["batch"], strict=False)
        ratios = [other / ours for other, ours in pairs]
        return median(ratios) if ratios else None


def in_process(generator: Generator) -> InProcess:
    """Measure the three messages in a process of its own."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, name).with_suffix(".mllp") for name in MESSAGES]
        for file in files:
            file.write_bytes(generator.message(file.stem))
        options = [str(ROUND_SECONDS), str(ROUNDS), *map(str, files)]
        return InProcess(json.loads(run("in_process.py", *options)))


@dataclass(frozen=True)
class ClientRates:
    """Messages per second against the same server, one for each round."""

    client: list[float]
    generator: list[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios within each round."""
        return median(one / two for one, two in zip(self.client, self.generator, strict=True))


def client(programs: Programs, generator: Generator, rounds: int) -> ClientRates:
    """Our client and the load generator in turn, one connection, 64 messages outstanding."""
    rates = ClientRates([], [])
    with TemporaryDirectory() as folder, FASTMLLP.running(programs) as running:
        file = Path(folder, "ADT.mllp")
        file.write_bytes(generator.message("ADT"))
        options = [str(running.port), str(ONE_PIPELINE.window), str(generator.seconds), str(file)]
        for _ in range(rounds):
            rates.client.append(float(run("fastmllp_client.py", *options)))
            rates.generator.append(generator.load(running, ONE_PIPELINE).per_second)
    return rates


def run(file: str, *options: str) -> str:
    """What a program of this folder prints.

    Raises:
        WrongAnswerError: It failed.
    """
    command = [sys.executable, str(SERVERS / file), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise WrongAnswerError(f"{file}: {done.stderr}")
    return done.stdout

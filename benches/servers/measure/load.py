"""What the load generator does to a server, and what it says."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from measure.server import Running

IDLE_CONNECTIONS = 1000


@dataclass(frozen=True)
class Shape:
    """So many connections, and so many messages without an answer on each."""

    name: str
    conns: int
    window: int


PING_PONG_16 = Shape("16 ping-pong", 16, 1)
PING_PONG_64 = Shape("64 ping-pong", 64, 1)
ONE_PIPELINE = Shape("1 x 64", 1, 64)
PIPELINES = Shape("16 x 64", 16, 64)
ONE_CONNECTION = Shape("1 ping-pong", 1, 1)
ALL = (PING_PONG_16, PING_PONG_64, ONE_PIPELINE, PIPELINES)
MANY = (PING_PONG_64, PIPELINES)


class WrongAnswerError(Exception):
    """A server answered wrongly, or not at all: its speed means nothing."""


@dataclass(frozen=True)
class Load:
    """One measurement. Times in microseconds."""

    messages: int
    per_second: float
    p99: float
    cpu: float
    foreign: float
    """Processor time that others took, in percent of one core."""


@dataclass(frozen=True)
class Generator:
    """The load generator, and how long it runs in seconds."""

    program: Path
    seconds: float

    def load(self, running: "Running", shape: Shape, most: int | None = None) -> Load:
        """Send for a time, or until `most` messages have been answered.

        Raises:
            WrongAnswerError: An answer is wrong or missing.
        """
        # The one that reconnects may take a fifth of a second for a message.
        seconds = max(self.seconds, 2) if running.server.reconnects else self.seconds
        options = [f"--conns={shape.conns}", f"--window={shape.window}"]
        options += [f"--seconds={seconds}", f"--warmup={min(0.3, self.seconds / 4)}"]
        if running.server.reconnects:
            options.append("--reconnect")
        if most is not None:
            options += [f"--max-msgs={most}", "--warmup=0"]
        told, said = self._run(running, *options)
        if told["stalled"] or told["messages"] == 0:
            raise WrongAnswerError(f"{running.server.name} stopped answering: {said}")
        check(running, told, said)
        return Load(
            told["messages"],
            told["per_second"],
            told["p99_us"],
            told["server_cpu_us"],
            told["foreign_cpu_percent"],
        )

    def have_a_connection_end(self, running: "Running") -> None:
        """Bring a Python server into the state that it stays in.

        asyncio reads into 256 KiB. Until a first connection has ended, the C library maps and
        unmaps such a piece of memory for every read, which can triple its cost; from then on it
        keeps one.

        Raises:
            WrongAnswerError: Its one message is not answered rightly.
        """
        self.load(running, ONE_CONNECTION, most=1)

    def bytes_per_connection(self, running: "Running") -> float:
        """Memory of the server for a connection that has had one message and waits."""
        told, said = self._run(running, f"--idle={IDLE_CONNECTIONS}", "--hold=0.3")
        if told["messages"] != IDLE_CONNECTIONS:
            raise WrongAnswerError(f"{running.server.name} left messages unanswered: {said}")
        check(running, told, said)
        return float(told["bytes_answered"])

    def message(self, name: str) -> bytes:
        """The framed message of this name."""
        command = [str(self.program), "--message", name, "--print"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def _run(self, running: "Running", *options: str) -> tuple[dict[str, Any], str]:
        command = [str(self.program), "--addr", f"127.0.0.1:{running.port}"]
        command += ["--pid", str(running.pid)]
        for option in options:
            command += option.split("=")
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise WrongAnswerError(f"{running.server.name}: {done.stderr}")
        return json.loads(done.stdout), done.stderr


def check(running: "Running", told: dict[str, Any], said: str) -> None:
    """Right answers are demanded of every server that reads its messages.

    Raises:
        WrongAnswerError: There is a wrong one, or a connection was lost.
    """
    if told["errors"] > 0 or (running.server.answers and told["bad"] > 0):
        counts = f"{told['bad']} wrong answers, {told['errors']} lost connections"
        raise WrongAnswerError(f"{running.server.name}: {counts}: {said}")

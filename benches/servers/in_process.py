"""Received bytes to framed answers, without a socket. argv: ROUND_SECONDS ROUNDS FRAME_FILE...

Prints one line of JSON: for each file and contestant the microseconds per message of each round.
Contestants take turns (A B A B). Every answer is looked for before anything is timed.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from fastmllp._native import Responder
from fastmllp_options import handler
from hand_written import answers

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import hl7
except ImportError:
    hl7 = None

BATCH = 64
CONTROL_ID = b"MSG20261121000123"

Work = Callable[[], bytes]


def ours(data: bytes) -> Work:
    """One native call; a Python handler is called for each message."""
    link = Responder(time.monotonic())

    def work() -> bytes:
        written, _, left, _, _ = link.converse(data, time.monotonic(), handler)
        assert left is None
        return written

    return work


def hand_written(data: bytes) -> Work:
    return lambda: answers(data)[0]


def python_hl7(data: bytes) -> Work:
    """Decode, parse, create_ack, encode."""

    def work() -> bytes:
        message = hl7.parse(data[1:-2].decode())
        return b"\x0b" + str(message.create_ack()).encode() + b"\x1c\r"

    return work


def contestants(frame: bytes) -> dict[str, tuple[Work, int]]:
    """Each with its messages per call."""
    batch = frame * BATCH
    found = {
        "batch": (ours(batch), BATCH),
        "single": (ours(frame), 1),
        "hand_written": (hand_written(batch), BATCH),
    }
    if hl7 is not None:
        found["python_hl7"] = (python_hl7(frame), 1)
    return found


def check(name: str, work: Work, messages: int) -> None:
    written = work()
    right = written.count(b"\rMSA|AA|" + CONTROL_ID + b"\r") == messages
    if not right or written.count(b"\x1c\r") != messages:
        sys.exit(f"{name}: wrong answer {written[:400]!r}")


def timed(work: Work, count: int) -> float:
    """Processor time, in seconds: what else the machine does is left out."""
    start = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - start


def calibrate(work: Work, seconds: float) -> int:
    """How many calls fill a round."""
    count = 1
    while timed(work, count) < seconds:
        count *= 2
    return count


def measure(frame: bytes, seconds: float, rounds: int) -> dict[str, list[float]]:
    found = contestants(frame)
    for name, (work, messages) in found.items():
        check(name, work, messages)
    counts = {name: calibrate(work, seconds) for name, (work, _) in found.items()}
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, (work, messages) in found.items():
            spent = timed(work, counts[name])
            times[name].append(spent / counts[name] / messages * 1e6)
    return times


if __name__ == "__main__":
    seconds, rounds, *files = sys.argv[1:]
    measured = {
        Path(file).stem: measure(Path(file).read_bytes(), float(seconds), int(rounds))
        for file in files
    }
    print(json.dumps(measured))

"""Run the engine's gateway between a sender and two partners, one of which is down at first.

Run it with a Python that has fastmllp installed, after ``cargo build --release -p mllp-engine
--example gateway`` in ``engine/``: ``python engine/demo.py``. The exit status is 0 only if
every message was acknowledged at once and delivered in the end.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastmllp import Server, send

GATEWAY = Path(__file__).parent / "target/release/examples/gateway"
TYPES = ("ADT^A01", "ADT^A08", "ADT^A03")
PATIENCE = 30.0


class Gateway:
    """The gateway as a process: it answers one line on its standard input with some."""

    def __init__(self, data: str, lab: int, billing: int) -> None:
        partners = [f"127.0.0.1:{lab}", f"127.0.0.1:{billing}"]
        self._process = subprocess.Popen(
            [GATEWAY, data, "127.0.0.1:0", *partners],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None and self._process.stdin is not None
        self._answers, self._questions = self._process.stdout, self._process.stdin
        self.port = int(self._answers.readline().rpartition(":")[2])

    def ask(self, question: str) -> str:
        """Ask for ``status``, or for the journey of a message by its number."""
        self._questions.write(f"{question}\n")
        self._questions.flush()
        return "".join(iter(self._answers.readline, "\n"))

    def stop(self) -> int:
        """Let it end; the result is its exit status."""
        self._questions.close()
        return self._process.wait(timeout=PATIENCE)


@contextmanager
def partner(port: int = 0) -> Iterator[int]:
    """A partner that takes everything; the value is its port."""
    with Server(host="127.0.0.1", port=port, timeout=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address[1]


def message(number: int, message_type: str) -> bytes:
    """A message of a made-up patient."""
    header = f"MSH|^~\\&|ADT|WARD|HIS|H|20260101||{message_type}|DEMO{number}|T|2.5"
    return f"{header}\rPID|1||471{number}||NOBODY^NAMED\r".encode()


def wait_until_processed(gateway: Gateway, number: int) -> str:
    """The journey of a message, once it has come to its end."""
    end = time.monotonic() + PATIENCE
    while True:
        journey = gateway.ask(str(number))
        if "\nPROCESSED" in journey or time.monotonic() > end:
            return journey
        time.sleep(0.05)


def main() -> int:
    """Run the demonstration; the result is the exit status."""
    with partner() as unused:
        billing = unused  # Free again below: nobody listens there at first.
    with tempfile.TemporaryDirectory() as data, partner() as lab:
        gateway = Gateway(data, lab, billing)
        print(f"gateway 127.0.0.1:{gateway.port}, laboratory up, billing down\n")
        for number, message_type in enumerate(TYPES):
            reply = send("127.0.0.1", gateway.port, message(number, message_type))
            print(f"sent DEMO{number} {message_type}: {reply.split(b'|')[-2].decode()}")
        time.sleep(1)
        print(f"\n{gateway.ask('status')}")
        with partner(billing):
            print("billing is back\n")
            journeys = [wait_until_processed(gateway, number) for number in (1, 2, 3)]
            print("\n".join(journeys))
            status = gateway.stop()
    done = all("\nPROCESSED" in journey for journey in journeys)
    print(f"{len(journeys)} messages, gateway ended with status {status}")
    return 0 if done and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

"""Start a server, send it every sample message, show the acknowledgments, stop the server.

Run it with a Python that has fastmllp installed: ``python examples/demo.py``. The exit status is 0
only if every message was accepted and the server ended cleanly.
"""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from fastmllp.client import Client
from fastmllp.hl7 import Message, readable
from fastmllp.hl7.files import read_messages

SAMPLES = Path(__file__).parent / "samples"


def main() -> int:
    """Run the demonstration; the result is the exit status."""
    command = [sys.executable, "-m", "fastmllp", "serve", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen([*command, "--quiet"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            first_line = server.stdout.readline()
            if not first_line.startswith("listening "):
                print("the server did not start", file=sys.stderr)
                return 1
            print(f"server {first_line}")
            host, _, port = first_line.removeprefix("listening ").strip().rpartition(":")
            sent, accepted = send_samples(host, int(port))
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(timeout=30)
    print(f"{accepted} of {sent} messages accepted, server ended with status {status}")
    return 0 if sent and accepted == sent and status == 0 else 1


def send_samples(host: str, port: int) -> tuple[int, int]:
    """Send every sample over one connection.

    Returns:
        How many messages were sent, and how many of them were accepted.
    """
    sent = accepted = 0
    with Client(host, port) as client:
        for path in sorted(SAMPLES.glob("*.hl7")):
            for payload in read_messages(path.read_bytes()).payloads:
                header = Message(payload).header
                began = time.perf_counter()
                reply = client.send(payload)
                milliseconds = (time.perf_counter() - began) * 1000
                message_type = header.message_type.decode("ascii", errors="replace")
                control_id = header.message_control_id.decode("ascii", errors="replace")
                print(f"{path.name}: {len(payload)} bytes, {message_type}, {control_id}")
                print(textwrap.indent(readable(reply.payload), "    "), end="")
                print(f"    {milliseconds:.2f} ms\n")
                sent += 1
                accepted += reply.accepted
    return sent, accepted


if __name__ == "__main__":
    sys.exit(main())

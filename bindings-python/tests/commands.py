"""What tests of the command line have in common: messages, who gets them, and how it is run."""

import os
import subprocess
import sys

from fastmllp import Message
from peers import DEADLINE, message

A, B, C = message("A"), message("B"), message("C")


class Archive:
    """A handler that keeps what it gets and refuses what it is told to."""

    def __init__(self, *refused: str) -> None:
        self.payloads: list[bytes] = []
        self._refused = [control_id.encode() for control_id in refused]

    def __call__(self, message: Message) -> str | None:
        self.payloads.append(message.payload)
        return "AE" if message.header.message_control_id in self._refused else None


def place(address: tuple[str, int]) -> tuple[str, ...]:
    return ("--host", address[0], "--port", str(address[1]))


def run_with(
    environment: dict[str, str], *arguments: object, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "fastmllp", *(str(argument) for argument in arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=3 * DEADLINE, env=variables
    )

"""What both servers of fastmllp do: the handler, and with ``--log`` the records of level INFO."""

import os
import sys

import fastmllp
from fastmllp.logging import configure


def handler(message: fastmllp.Message) -> None:
    """Called for every message; takes it."""


def log_as_asked() -> None:
    """Write records where they cost a write and nothing else, or none below WARNING."""
    if "--log" in sys.argv:
        configure("info", stream=open(os.devnull, "w"))
    else:
        configure("warning")

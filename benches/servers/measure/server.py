"""The servers that are measured, and one of them while it runs."""

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from measure.load import ALL, MANY, PING_PONG_16, Shape
from measure.programs import SERVERS, Programs


class NotListeningError(Exception):
    """A server ended before it listened."""


@dataclass(frozen=True)
class Server:
    """A program that listens on a free port and prints it.

    Attributes:
        name: For the table.
        arguments: The file in this folder, and what follows it; or the whole command.
        answers: It names the message in its answer. A fixed answer does not.
        shapes: What is measured. Peers that take milliseconds for a message are spared the rest.
        needs: A module that must be installed.
        reconnects: It takes one message for each connection.
        idles: Memory for each idle connection is measured.
    """

    name: str
    arguments: tuple[str, ...]
    answers: bool = True
    shapes: tuple[Shape, ...] = ALL
    needs: str | None = None
    reconnects: bool = False
    idles: bool = True

    @property
    def is_installed(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None

    @contextmanager
    def running(self, programs: Programs) -> Iterator["Running"]:
        """Start it, and stop it in the end.

        Raises:
            NotListeningError: It ended before it listened.
        """
        file, *options = self.arguments
        if file.endswith(".c"):
            command = [str(programs.path(file.removesuffix(".c"))), *options]
        elif file.endswith(".py"):
            command = [sys.executable, str(SERVERS / file), *options]
        else:
            command = [sys.executable, *self.arguments]
        # A file, because nobody reads what a server complains of while it is measured.
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=complaints, text=True
            ) as process,
        ):
            try:
                assert process.stdout is not None
                line = process.stdout.readline().strip()
                if not line:
                    complaints.seek(0)
                    raise NotListeningError(f"{self.name}: {complaints.read().strip()}")
                yield Running(self, process.pid, int(line.rpartition(":")[2]))
            finally:
                process.kill()


@dataclass(frozen=True)
class Running:
    """A server that listens on `port`."""

    server: Server
    pid: int
    port: int


EPOLL = Server("C epoll, fixed answer", ("epoll_fixed.c",), answers=False)
ASYNCIO_FIXED = Server("asyncio, fixed answer", ("asyncio_fixed.py",), answers=False)
THREAD_FIXED = Server("threads, fixed answer", ("thread_fixed.py",), answers=False)
LIBMLLP = Server("fastmllp, C epoll", ("ack_server.c", "0"))
FASTMLLP = Server("fastmllp, asyncio", ("fastmllp_async.py",))
FASTMLLP_UVLOOP = Server("fastmllp, uvloop", ("fastmllp_async.py", "--uvloop"), needs="uvloop")
FASTMLLP_THREADS = Server("fastmllp, threads", ("fastmllp_threads.py",))
FASTMLLP_LOG = Server(
    "fastmllp, asyncio, records at INFO",
    ("fastmllp_async.py", "--log"),
    shapes=MANY,
    idles=False,
)
HAND_WRITTEN = Server("asyncio, hand-written", ("asyncio_hand.py",))
PYTHON_HL7 = Server("python-hl7", ("python_hl7.py",), shapes=MANY, needs="hl7", idles=False)
HL7APY = Server(
    "hl7apy",
    ("hl7apy_server.py",),
    shapes=(PING_PONG_16,),
    needs="hl7apy",
    reconnects=True,
    idles=False,
)

ALL_SERVERS = (
    EPOLL,
    LIBMLLP,
    ASYNCIO_FIXED,
    FASTMLLP,
    FASTMLLP_UVLOOP,
    FASTMLLP_LOG,
    THREAD_FIXED,
    FASTMLLP_THREADS,
    HAND_WRITTEN,
    PYTHON_HL7,
    HL7APY,
)
OURS = tuple(server for server in ALL_SERVERS if server.name.startswith("fastmllp"))

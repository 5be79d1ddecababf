"""Several processes that serve one port: the system shares the connections among them.

Python runs one thread at a time in a process, so a second processor needs a second process. The
first process only watches: it starts the others, replaces one that dies, and ends them all.
"""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn, TypeAlias

from fastmllp.cli.signals import HANG_UP, STOPPING, heed, ignore
from fastmllp.cli.status import CANNOT_LISTEN, STOPPED
from fastmllp.config import ConfigError
from fastmllp.logging import describe_exception, log_event
from fastmllp.server import Server

OnListening: TypeAlias = Callable[[Server], bool]
"""Called when a server listens and its process heeds signals; False ends it again."""
Serve: TypeAlias = Callable[[OnListening], int]
"""Serves until a signal comes; returns the exit status."""

_PAUSE_SECONDS = 1.0
_SIGNALS = (*STOPPING, *HANG_UP)


class Workers:
    """The processes that serve, seen from the one that watches them."""

    def __init__(self, count: int, serve: Serve, reload: Callable[[], object]) -> None:
        """Prepare; starts nothing.

        Args:
            count: How many processes.
            serve: What each of them does.
            reload: What this process does when SIGHUP comes, which it passes on to the others.

        Raises:
            ConfigError: This system has no processes that share a port.
        """
        if not (hasattr(os, "fork") and hasattr(socket, "SO_REUSEPORT")):
            raise ConfigError("[server] workers must be 1: this system cannot share a port")
        self._count = count
        self._serve = serve
        self._reload = reload
        self._running: set[int] = set()
        self._stopping = False
        # Nothing is ever written to it: its end tells the workers that this process is gone.
        self._end_of_life, self._life = os.pipe()

    def run(self, announce: Callable[[], bool]) -> int:
        """Start, watch and end the workers.

        Args:
            announce: Called when all of them listen; False ends them.

        Returns:
            The exit status.
        """
        heed(STOPPING, self._on_signal)
        heed(HANG_UP, self._on_hang_up)
        status = STOPPED
        if not (all(self._start() for _ in range(self._count)) and announce()):
            status = STOPPED if self._stopping else CANNOT_LISTEN
            self._stop()
        while self._running:
            worker, result = os.wait()
            self._running.discard(worker)
            if not self._stopping:
                code = os.waitstatus_to_exitcode(result)
                log_event(logging.ERROR, "worker_died", process=worker, status=code)
                time.sleep(_PAUSE_SECONDS)
                self._start()
        ignore(_SIGNALS)
        return status

    def _start(self) -> bool:
        """Start a worker and wait until it listens, or has died."""
        ready, listening = os.pipe()
        with _signals_held():
            # One that came before is not held, and the new worker would not hear of it.
            if not self._stopping:
                worker = os.fork()
                if worker == 0:
                    os.close(ready)
                    self._work(listening)
                self._running.add(worker)
        os.close(listening)
        with open(ready, "rb") as pipe:
            return bool(pipe.read(1))

    def _work(self, listening: int) -> NoReturn:
        """Be a worker."""

        def on_listening(server: Server) -> bool:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            threading.Thread(target=self._stop_when_alone, args=(server,), daemon=True).start()
            os.write(listening, b"1")
            os.close(listening)
            return True

        status = CANNOT_LISTEN
        try:
            os.close(self._life)
            status = self._serve(on_listening)
            sys.stderr.flush()
        except BaseException as error:
            log_event(logging.ERROR, "worker_failed", trace=describe_exception(error))
        finally:
            logging.shutdown()  # The last records: `os._exit` does not wait for them.
            os._exit(status)  # What is below on the stack belongs to the process that watches.

    def _stop_when_alone(self, server: Server) -> None:
        os.read(self._end_of_life, 1)
        server.shutdown()

    def _on_signal(self, number: int, interrupted: FrameType | None) -> None:
        self._stop()

    def _on_hang_up(self, number: int, interrupted: FrameType | None) -> None:
        # Here too: a worker that starts later has what this process has.
        self._reload()
        self._tell_all(number)

    def _stop(self) -> None:
        self._stopping = True
        self._tell_all(signal.SIGTERM)

    def _tell_all(self, number: int) -> None:
        for worker in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, number)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals wait, so that none comes between the birth of a worker and its entry."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

"""Processes that serve one port, seen from the process that starts, watches and ends them."""

import contextlib
import functools
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import NamedTuple, NoReturn, Protocol, TypeAlias

from fastmllp.cli.output import complain
from fastmllp.cli.signals import HANG_UP, STOPPING, heed, ignore
from fastmllp.cli.status import CANNOT_LISTEN, STOPPED, WRONG_USAGE
from fastmllp.config import ConfigError
from fastmllp.logging import describe_exception, log_event


class AnyServer(Protocol):
    """What the command asks of a server: `fastmllp.Server`, or `LoopServer` for asyncio."""

    address: tuple[str, int]

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def serve_forever(self) -> None:
        """Serve until `shutdown`, then end gracefully."""

    def shutdown(self) -> None:
        """Stop. Called again by a signal handler, leave the connections one second."""

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use other certificates from the next connection on."""


OnListening: TypeAlias = Callable[[AnyServer], bool]
"""Called when a server listens and its process heeds signals; False ends it again."""
Serve: TypeAlias = Callable[[OnListening], int]
"""Serves until a signal comes; returns the exit status."""

SIGNALS = (*STOPPING, *HANG_UP)
PAUSE_SECONDS = 1.0
"""How long to wait before a process is replaced that has died."""


class Worker(NamedTuple):
    """A process that was started."""

    process: int
    pipe: int
    """What it writes to this process; ends with it. Closed by its owner."""
    listens: bool
    """Whether it has said that it listens."""


class Watcher:
    """Starts workers and tells them what this process is told. What it does about them is `run`."""

    def __init__(self, what: str, serve: Serve, reload: Callable[[], object]) -> None:
        """Prepare; starts nothing.

        Args:
            what: What needs processes, and how it is done without, for the error.
            serve: What a worker does.
            reload: What this process does when SIGHUP comes, which it passes on to the others.

        Raises:
            ConfigError: This system has no processes that share a port.
        """
        if not (hasattr(os, "fork") and hasattr(socket, "SO_REUSEPORT")):
            raise ConfigError(f"{what}: this system cannot share a port")
        self._serve = serve
        self._reload = reload
        self._running: set[int] = set()
        self._stopping = False
        # Nothing is ever written to it: its end tells the workers that this process is gone, or
        # hastens.
        self._end_of_life, self._life = os.pipe()
        self._hastens = False

    def _heed_signals(self) -> None:
        heed(STOPPING, self._on_signal)
        heed(HANG_UP, self._on_hang_up)

    def _start(self) -> Worker:
        """Start a worker and wait until it listens, or has something else to say, or has died."""
        pipe, ours = os.pipe()
        worker = 0
        with signals_held():
            # One that came before is not held, and the new worker would not hear of it.
            if not self._stopping:
                worker = os.fork()
                if worker == 0:
                    os.close(pipe)
                    self._work(ours)
                self._running.add(worker)
        os.close(ours)
        return Worker(worker, pipe, os.read(pipe, 1) == b"1")

    def _work(self, pipe: int) -> NoReturn:
        """Be a worker."""
        status = CANNOT_LISTEN
        try:
            os.close(self._life)
            # A module may take long to import, or for ever. Until it listens there is nothing to
            # answer; one that only asks to reload waits.
            for number in STOPPING:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
            status = self._serve_once(pipe)
        except ConfigError as error:
            complain("serve", str(error))
            status = WRONG_USAGE
        except BaseException as error:
            log_event(logging.ERROR, "worker_failed", trace=describe_exception(error))
        finally:
            # `os._exit` does not wait for the last records, nor for what a handler has printed.
            logging.shutdown()
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os._exit(status)  # What is below on the stack belongs to the process that watches.

    def _serve_once(self, pipe: int) -> int:
        return self._serve(functools.partial(self._on_listening, pipe))

    def _on_listening(self, pipe: int, server: AnyServer) -> bool:
        stop = _Stop(server)
        heed(STOPPING, stop.on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        threading.Thread(target=self._wait_for_end_of_life, args=(stop,), daemon=True).start()
        os.write(pipe, b"1")
        return True

    def _wait_for_end_of_life(self, stop: "_Stop") -> None:
        os.read(self._end_of_life, 1)
        stop.is_last = True
        # To this process, not this thread: a server stops, and hastens, in its main thread.
        os.kill(os.getpid(), signal.SIGTERM)

    def _on_signal(self, number: int, interrupted: FrameType | None) -> None:
        if not self._stopping:
            self._stop()
        elif not self._hastens:
            self._hastens = True
            os.close(self._life)

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

    def _give_up(self) -> int:
        """End those that run, since one that was wanted did not come about.

        Returns:
            The exit status: that of the one that failed, or 0 if they were told to stop.
        """
        status = STOPPED if self._stopping else CANNOT_LISTEN
        self._stop()
        return max([status, *self._wait_all()]) if status else status

    def _wait_all(self) -> list[int]:
        """Wait for the end of all, and then ignore signals."""
        codes = []
        while self._running:
            worker, result = os.wait()
            self._running.discard(worker)
            codes.append(os.waitstatus_to_exitcode(result))
        ignore(SIGNALS)
        return codes


class _Stop:
    """What a worker does when it is told to stop.

    Ctrl-C goes to every process of the terminal's group, a service manager may tell every process
    of a service, and the process that watches passes on what it is told. So a worker hears of one
    stop more than once, and only the end of the other process's life makes it hasten.

    Attributes:
        is_last: The process that watches is gone, or hastens.
    """

    def __init__(self, server: AnyServer) -> None:
        self.is_last = False
        self._server = server
        self._was_told = False

    def on_signal(self, number: int, interrupted: FrameType | None) -> None:
        if self.is_last or not self._was_told:
            self._was_told = True
            self._server.shutdown()


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let signals wait, so that none comes between the birth of a worker and its entry."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

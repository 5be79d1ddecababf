"""``serve --reload``: another process with the new code whenever a file of the project changes.

The new process listens before the old one is told to stop, and the old one answers what it has
received before it ends. A process whose handler cannot be loaded does not serve; it waits for the
next change, and the old process goes on.
"""

import contextlib
import functools
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

from fastmllp.cli.handler import CannotLoad
from fastmllp.cli.output import complain
from fastmllp.cli.project import Project
from fastmllp.cli.status import STOPPED
from fastmllp.cli.worker import PAUSE_SECONDS, AnyServer, Serve, Watcher, Worker
from fastmllp.logging import log_event

_LOOK_SECONDS = 0.25


class Restarts(Watcher):
    """Serves in one process at a time, seen from the process that replaces it."""

    def __init__(self, module: str, serve: Serve, reload: Callable[[], object]) -> None:
        """Prepare; starts nothing.

        Args:
            module: The one that has the handler.
            serve: As for `Watcher`. May raise `CannotLoad`.
            reload: As for `Watcher`.

        Raises:
            ConfigError: This system has no processes that share a port.
        """
        super().__init__("--reload", serve, reload)
        self._module = module
        self._serving: Worker | None = None
        # Python would take bytecode for that of a file that was saved twice in a second, if both
        # are of the same size.
        sys.dont_write_bytecode = True

    def run(self, announce: Callable[[], bool]) -> int:
        """Serve, and restart at each change, until a signal comes.

        Args:
            announce: Called when the first process listens; False ends it.

        Returns:
            The exit status.
        """
        self._heed_signals()
        first = self._start()
        if not (first.listens and announce()):
            return self._give_up()
        self._serving = first
        waiting: Worker | None = None
        while self._is_wanted(waiting):
            newest = self._start()
            if waiting is not None:
                self._end(waiting)
            waiting = None if newest.listens else newest
            if newest.listens:
                log_event(logging.INFO, "handler_reloaded", process=newest.process)
                if self._serving is not None:
                    self._end(self._serving)
                self._serving = newest
        self._wait_all()
        return STOPPED

    def _is_wanted(self, waiting: Worker | None) -> bool:
        """Wait until a new process is wanted; False when it is time to stop.

        Args:
            waiting: The newest process, if it could not load its handler. It knows what a change
                must be about, so the one that serves says no more.
        """
        workers = [worker for worker in (self._serving, waiting) if worker is not None]
        # A signal ends all of them, and so this wait.
        ready, _, _ = select.select([worker.pipe for worker in workers], [], [])
        for worker in workers:
            if worker.pipe not in ready or os.read(worker.pipe, 1) or self._stopping:
                continue
            log_event(logging.ERROR, "worker_died", process=worker.process)
            if worker is self._serving:
                self._end(worker)
                self._serving = None
            time.sleep(PAUSE_SECONDS)
        return not self._stopping

    def _end(self, worker: Worker) -> None:
        """Tell a process to stop, unless it has ended."""
        os.close(worker.pipe)
        with contextlib.suppress(ChildProcessError):  # There is none.
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._running.discard(ended)
        if worker.process in self._running:
            os.kill(worker.process, signal.SIGTERM)

    # What follows happens in the processes that serve.

    def _serve_once(self, pipe: int) -> int:
        self._project = Project(self._module)
        try:
            return super()._serve_once(pipe)
        except CannotLoad as error:
            if self._serving is None:
                raise
            self._project.watch(error.files)
            self._project.begin()
            complain("serve", f"{error}; the handler from before goes on until the next change")
        os.write(pipe, b"0")
        self._report_change(pipe, self._pause)
        return STOPPED

    def _on_listening(self, pipe: int, server: AnyServer) -> bool:
        self._project.begin()  # Now: whoever knows that it listens may change a file.
        pause = functools.partial(time.sleep, _LOOK_SECONDS)
        threading.Thread(target=self._report_change, args=(pipe, pause), daemon=True).start()
        return super()._on_listening(pipe, server)

    def _report_change(self, pipe: int, pause: Callable[[], object]) -> None:
        self._project.wait_for_change(pause)
        with contextlib.suppress(OSError):  # The other process is gone.
            os.write(pipe, b"1")

    def _pause(self) -> None:
        if select.select([self._end_of_life], [], [], _LOOK_SECONDS)[0]:
            os._exit(STOPPED)  # The other process is gone.

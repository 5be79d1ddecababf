"""Several processes that serve one port: the system shares the connections among them.

Python runs one thread at a time in a process, so a second processor needs a second process. The
first process only watches: it starts the others, replaces one that dies, and ends them all.
"""

import logging
import os
import time
from collections.abc import Callable

from fastmllp.cli.signals import ignore
from fastmllp.cli.status import STOPPED
from fastmllp.cli.worker import PAUSE_SECONDS, SIGNALS, Serve, Watcher
from fastmllp.logging import log_event


class Workers(Watcher):
    """The processes that serve, seen from the one that watches them."""

    def __init__(self, count: int, serve: Serve, reload: Callable[[], object]) -> None:
        """Prepare; starts nothing.

        Args:
            count: How many processes.
            serve: As for `Watcher`.
            reload: As for `Watcher`.

        Raises:
            ConfigError: This system has no processes that share a port.
        """
        super().__init__("[server] workers must be 1", serve, reload)
        self._count = count

    def run(self, announce: Callable[[], bool]) -> int:
        """Start, watch and end the workers.

        Args:
            announce: Called when all of them listen; False ends them.

        Returns:
            The exit status.
        """
        self._heed_signals()
        if not (all(self._listens() for _ in range(self._count)) and announce()):
            return self._give_up()
        while self._running:
            worker, result = os.wait()
            self._running.discard(worker)
            if not self._stopping:
                code = os.waitstatus_to_exitcode(result)
                log_event(logging.ERROR, "worker_died", process=worker, status=code)
                time.sleep(PAUSE_SECONDS)
                self._listens()
        ignore(SIGNALS)
        return STOPPED

    def _listens(self) -> bool:
        worker = self._start()
        os.close(worker.pipe)
        return worker.listens

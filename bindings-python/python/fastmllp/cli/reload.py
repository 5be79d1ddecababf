"""What ``serve`` does when SIGHUP comes: it opens its log file again and reads its certificates."""

import logging
import queue
import ssl
import threading

from fastmllp.cli.signals import HANG_UP, heed
from fastmllp.cli.tls import server_tls
from fastmllp.cli.worker import AnyServer
from fastmllp.config import ConfigError, Settings
from fastmllp.logging import Log, reopen

__all__ = ["Reload"]


class Reload:
    """Reloads what may change while a server runs. What cannot be read stays as it is."""

    def __init__(self, settings: Settings) -> None:
        """Read the certificates for the first time.

        Raises:
            ConfigError: They cannot be used.
        """
        self._server = settings.section("server")
        self._log = Log(self._server["name"])
        self.tls: ssl.SSLContext | None = server_tls(self._server)
        """The context in force, for a server that starts now."""
        # The one way from the signal handler to the thread; it may be in any state of either.
        self._asked: queue.SimpleQueue[AnyServer] = queue.SimpleQueue()

    def on_signal(self, server: AnyServer) -> None:
        """From now on, reload for a server when SIGHUP comes.

        In a thread, because reading a file may take long and messages are not to wait for it.
        """
        if HANG_UP:
            threading.Thread(target=self._serve_requests, daemon=True).start()
            heed(HANG_UP, lambda *_: self._asked.put(server))

    def now(self, server: AnyServer | None = None) -> None:
        """Reload, and write into the log that it was done, or why not.

        Args:
            server: The one that gets the certificates, if this process has one.
        """
        reopen()
        try:
            context = server_tls(self._server)
            if context is not None and server is not None:
                server.reload_tls(context)
        except (ConfigError, ValueError, OSError) as error:
            # The name of a file and a reason, and nothing of what the file holds.
            self._log.event(logging.ERROR, "reload_failed", error=str(error))
            return
        self.tls = context
        self._log.event(logging.INFO, "reloaded")

    def _serve_requests(self) -> None:
        while True:
            self.now(self._asked.get())

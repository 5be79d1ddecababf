"""An asyncio server that is driven as a blocking one, in an event loop of its own."""

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import Any

from fastmllp.aio.server import start_server
from fastmllp.aio.service import AsyncHandler

# A signal that comes after Python's last step and before the loop waits does not end that wait.
_LOOK_SECONDS = 0.5
# What is left of the time for a graceful stop when a second signal comes.
_HASTY_SECONDS = 1.0


class LoopServer:
    """Has the methods of `fastmllp.Server` that the command uses."""

    def __init__(self, handler: AsyncHandler, **options: Any) -> None:
        """Bind and listen, as `fastmllp.aio.start_server` does.

        Raises:
            OSError: The address cannot be resolved or bound.
            ValueError: A setting is out of bounds.
        """
        self._runner = asyncio.Runner()
        try:
            self._server = self._runner.run(start_server(handler, **options))
        except BaseException:
            self._runner.close()
            raise
        self.address = self._server.address
        """Host and port that the server listens on."""
        self._loop = self._runner.get_loop()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._ended = False

    def __enter__(self) -> "LoopServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if not self._ended:
                self.shutdown()
                self.serve_forever()
        finally:
            self._runner.close()  # With what is left of the connections.

    def serve_forever(self) -> None:
        """Serve until `shutdown`, then end gracefully."""
        try:
            # Cancelled when the time after a second signal is over.
            with contextlib.suppress(asyncio.CancelledError):
                self._runner.run(self._serve())
        finally:
            self._ended = True

    def shutdown(self) -> None:
        """Begin to stop, and return at once. Called again, leave the connections one second.

        May be called from any thread and from a signal handler.
        """
        with contextlib.suppress(RuntimeError):  # The loop is closed.
            self._loop.call_soon_threadsafe(self._stop)

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use other certificates from the next connection on, as `fastmllp.Server` does."""
        self._server.reload_tls(context)

    async def _serve(self) -> None:
        self._task = asyncio.current_task()
        looking = asyncio.create_task(_look())
        try:
            await self._server.serve_forever()
        finally:
            looking.cancel()

    def _stop(self) -> None:
        if self._stopping and self._task is not None:
            self._loop.call_later(_HASTY_SECONDS, self._task.cancel)
        self._stopping = True
        self._server.close()


async def _look() -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)

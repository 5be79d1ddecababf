"""The API in a thread beside the engine."""

import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from fastmllp_engine.alerts import Watch
from fastmllp_engine.api import door
from fastmllp_engine.runtime import Running

if TYPE_CHECKING:
    import uvicorn

END_SECONDS = 5.0
"""How long requests that are being answered may take at the end."""


class Api:
    """Answers commands on the socket in the data folder until it is closed.

    The socket is there when this returns. FastAPI takes half a second to import and comes after
    that: commands wait for it, and the engine does not.
    """

    def __init__(self, running: Running, watch: Watch | None = None) -> None:
        self._running = running
        self._watch = watch
        self._server: uvicorn.Server | None = None
        self._closing = False
        self._socket: socket.socket | None = None
        try:
            self._socket = door.take(running.data)
        except OSError as error:
            # Messages matter more than commands.
            why = error.strerror or type(error).__name__
            print(f"commands cannot reach this engine: {why}", file=sys.stderr, flush=True)
            return
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closing = True
        if self._watch is not None:
            self._watch.close()
        if self._socket is None:
            return
        door.leave(self._running.data)
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(END_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        try:
            self._serve()
        except Exception:
            print("the API has ended; the engine goes on", file=sys.stderr)
            traceback.print_exc()

    def _serve(self) -> None:
        import uvicorn

        from fastmllp_engine.api.application import application
        from fastmllp_engine.api.peers import KnownPeer

        config = uvicorn.Config(
            application(self._running, self._watch),
            http=KnownPeer,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(END_SECONDS),
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        if not self._closing and self._socket is not None:
            self._server.run(sockets=[self._socket])

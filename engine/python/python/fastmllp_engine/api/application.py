"""The application: FastAPI over a running engine.

Everything here runs in threads of the server. The native engine decides and delivers in threads of
its own, and no request makes it wait.
"""

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from fastmllp_engine._native import EngineError
from fastmllp_engine.alerts import Watch
from fastmllp_engine.api import connections, given_up, messages, store
from fastmllp_engine.graph import ConfigurationError
from fastmllp_engine.runtime import Running

STOPPING = "the engine stops"


def application(running: Running, watch: Watch | None = None) -> FastAPI:
    """The API of an engine, and of the watch over it."""
    app = FastAPI(
        title="fastmllp-engine",
        version=version("fastmllp-engine"),
        description="A running engine. Times are milliseconds since 1970 in UTC.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.running = running
    app.state.watch = watch
    for routes in (connections.routes, messages.routes, given_up.routes, store.routes):
        app.include_router(routes)

    @app.middleware("http")
    async def refuse_at_the_end(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if running.is_stopping:
            return JSONResponse({"detail": STOPPING}, status_code=503)
        return await call_next(request)

    @app.exception_handler(EngineError)
    def refused(request: Request, error: EngineError) -> JSONResponse:
        # Once the engine has ended it refuses everything, and that is not the request's fault.
        ended = running.is_stopping or running.engine.has_ended()
        status = 503 if ended else 422 if error.exit_status == 2 else 409
        return JSONResponse({"detail": str(error)}, status_code=status)

    @app.exception_handler(ConfigurationError)
    def wrong_configuration(request: Request, error: ConfigurationError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.exception_handler(ValueError)
    def wrong(request: Request, error: ValueError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    return app

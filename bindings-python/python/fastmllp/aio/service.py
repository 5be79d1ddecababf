"""How the messages of connections are answered."""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from fastmllp._native import Message
from fastmllp.logging import Log, describe_exception
from fastmllp.serving.conversation import Terms
from fastmllp.serving.handler import HandlerResult
from fastmllp.serving.options import ServerOptions

AsyncHandler: TypeAlias = Callable[[Message], HandlerResult | Awaitable[HandlerResult]]


class HandlerTimeoutError(Exception):
    """A handler has had its time. What it returns later is on record then, and nothing else."""


class Service:
    """What all connections of a server or a link have in common: the handler and the limits.

    Attributes:
        limits: The options, as what a connection may use.
        log: Where the records go.
        answerer: Makes acknowledgments of what the handler says.
        handler_timeout: Seconds for a handler that is awaited; 0: no limit.
        terms: What their conversations have in common.
    """

    def __init__(self, handler: AsyncHandler | None, options: ServerOptions, log: Log) -> None:
        self.limits = options
        self.log = log
        self.answerer = options.new_answerer(handler, log)
        self.handler_timeout = options.handler_timeout
        executor = options.executor
        waits = executor is not None or inspect.iscoroutinefunction(handler)
        self.terms = Terms(self.answerer, options, waits)
        self._handler = handler
        self._executor = executor

    async def call(self, message: Message) -> object:
        """Call a handler that cannot answer at once."""
        handler = cast(AsyncHandler, self._handler)
        if self._executor is not None:
            loop = asyncio.get_running_loop()
            run = contextvars.copy_context().run
            result, error = await loop.run_in_executor(
                self._executor, run, _attempt, handler, message
            )
            if error is not None:
                raise _as_error(error)
        else:
            result = handler(message)
        return await result if inspect.isawaitable(result) else result

    async def outcome(self, result: Awaitable[object], number: int) -> object:
        """What a handler that is awaited returns, in its time.

        Raises:
            HandlerTimeoutError: It is not done. It goes on; nobody waits for it any more.
            BaseException: What the handler raised.
        """

        def on_late_result(task: "asyncio.Future[object]") -> None:
            error = None if task.cancelled() else task.exception()
            trace = None if error is None else describe_exception(error)
            self.log.event(logging.WARNING, "late_result", number, trace=trace)

        task = asyncio.ensure_future(_finished(result))
        try:
            done, _ = await asyncio.wait({task}, timeout=self.handler_timeout or None)
        except asyncio.CancelledError:
            task.add_done_callback(on_late_result)
            task.cancel()
            raise
        if not done:
            task.add_done_callback(on_late_result)
            raise HandlerTimeoutError
        return task.result()


def _attempt(
    handler: AsyncHandler, message: Message
) -> tuple[HandlerResult | Awaitable[HandlerResult], BaseException | None]:
    try:
        return handler(message), None
    except BaseException as error:
        return None, error


async def _finished(result: Awaitable[object]) -> object:
    """Await what a handler has begun. What ends the program elsewhere ends one message here."""
    try:
        return await result
    except (KeyboardInterrupt, SystemExit) as error:
        raise _as_error(error) from error


def _as_error(error: BaseException) -> Exception:
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    # A future cannot carry it, or it would end the loop instead of the message.
    wrapped = RuntimeError("the handler has raised what is no error")
    wrapped.__cause__ = error
    return wrapped

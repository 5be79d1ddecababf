"""Messages of one connection that wait for a handler which cannot answer at once."""

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Protocol, TypeAlias

from fastmllp._native import Ticket
from fastmllp.aio.service import HandlerTimeoutError, Service
from fastmllp.serving.conversation import Conversation
from fastmllp.serving.handler import connection_number
from fastmllp.serving.report import ConnectionReport

_Waiting: TypeAlias = tuple[Ticket, bytes, Awaitable[object] | None]


class Owner(Protocol):
    """The connection."""

    def handled(self) -> None:
        """A message has its answer: send it."""

    def rested(self) -> None:
        """No message waits any more."""


class HandlerQueue:
    """Awaits the handler for one message after the other, in their order."""

    __slots__ = (
        "_aborted",
        "_conversation",
        "_owner",
        "_report",
        "_service",
        "_waiting",
        "_working",
    )

    def __init__(
        self,
        service: Service,
        conversation: Conversation,
        report: ConnectionReport,
        owner: Owner,
    ) -> None:
        self._service = service
        self._conversation = conversation
        self._report = report
        self._owner = owner
        self._waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None
        self._aborted = False

    @property
    def is_busy(self) -> bool:
        """Whether a message waits or is worked on."""
        return self._working is not None

    def add(self, ticket: Ticket, payload: bytes, result: Awaitable[object] | None) -> None:
        """Let a message wait for its handler.

        Args:
            ticket: The place of the answer.
            payload: The message.
            result: What the handler has returned and must be awaited; None if the handler is
                still to be called.
        """
        if self._aborted:
            _drop(result)
            return
        self._waiting.append((ticket, payload, result))
        if self._working is None:
            self._start()

    def abort(self) -> None:
        """The time is over: cancel the handler, and call no other."""
        self._aborted = True
        for _, _, result in self._waiting:
            _drop(result)
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()

    def _start(self) -> None:
        self._working = asyncio.get_running_loop().create_task(self._work())
        self._working.add_done_callback(self._on_worked)

    def _on_worked(self, task: "asyncio.Task[None]") -> None:
        self._working = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report.failed(error)
        if self._waiting:
            self._start()
        else:
            self._owner.rested()

    async def _work(self) -> None:
        connection_number.set(self._report.number)
        while self._waiting:
            ticket, payload, result = self._waiting.pop(0)
            try:
                await self._await_handler(ticket, payload, result)
            finally:
                self._owner.handled()

    async def _await_handler(
        self, ticket: Ticket, payload: bytes, result: Awaitable[object] | None
    ) -> None:
        service, conversation = self._service, self._conversation
        try:
            if result is None:
                result = service.call(service.answerer.message(payload))
            value = await service.outcome(result, self._report.number)
        except HandlerTimeoutError:
            self._report.handler_overdue()
            conversation.conclude(ticket, payload, "AE")
        except asyncio.CancelledError as error:
            conversation.fail(ticket, error)
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                # The server gives up on us, not the handler on itself.
                raise
        except BaseException as error:
            conversation.fail(ticket, error)
        else:
            conversation.conclude(ticket, payload, value)


def _drop(result: Awaitable[object] | None) -> None:
    if inspect.iscoroutine(result):
        result.close()

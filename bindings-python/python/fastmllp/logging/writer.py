"""The thread that writes the log, so that no connection waits for its reader."""

import contextlib
import os
import queue
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from fastmllp.logging.output import LogOutput

__all__ = ["FLUSH_SECONDS", "MAX_BYTES", "MAX_RECORDS", "LogWriter"]

MAX_RECORDS = 65_536
"""Records that wait for the reader of the log; further ones are dropped."""
MAX_BYTES = 16 * 1024 * 1024
"""Bytes of text that wait for it; the last record may go beyond."""
FLUSH_SECONDS = 2.0
"""How long the end of the program waits for a reader that is not reading."""

# Written with one call. With smaller chunks the thread would wait for Python's lock more often, for
# milliseconds each time while another thread computes.
_CHUNK = 256 * 1024
# After each write the thread lets records gather this long, so that one write takes them all and
# the threads of connections are rarely interrupted. A record after a pause is written at once.
_GATHER_SECONDS = 0.01
# How long to wait when a non-blocking descriptor is full.
_FULL_SECONDS = 0.01
# How long a fork waits for the thread to end: forking with other threads running is unsafe.
_FORK_SECONDS = 0.5

Trouble: TypeAlias = Callable[[str, dict[str, object]], None]
"""Writes a record about the log itself: the event and its fields."""
# A text and how many records it holds; None where the file must be opened again.
_Item: TypeAlias = tuple[str, int] | None

_writers: "weakref.WeakSet[LogWriter]" = weakref.WeakSet()


class LogWriter:
    """Lines that wait to be written to the log, in order.

    Attributes:
        dropped: How many records were dropped so far.
    """

    def __init__(self, output: LogOutput, on_trouble: Trouble) -> None:
        """Prepare; the thread starts with the first record.

        Args:
            output: Where the lines go.
            on_trouble: Called by the thread, with ``records_dropped`` once the log takes lines
                again, or with ``log_reopen_failed``.
        """
        self.dropped = 0
        self._output = output
        self._on_trouble = on_trouble
        self._closed = False
        # The process that `_flush_at_exit` has taken care of.
        self._process = 0
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        """No thread, and nothing that waits."""
        # A signal handler may write a record while its own thread is writing one. So the lock can
        # be taken twice, and a `SimpleQueue` wakes the writer, since it allows that as well.
        self._lock = threading.RLock()
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._idle = False
        self._ending = False
        self._items: deque[_Item] = deque()
        self._records = 0
        self._bytes = 0
        # Dropped records that the log does not mention yet, and why if a write failed.
        self._unsaid = 0
        self._error = ""
        # Whether the last line was written only in part.
        self._is_cut = False

    def put(self, text: str, records: int) -> None:
        """Add lines, or drop them when too many wait; never waits for the reader.

        Args:
            text: Whole lines.
            records: How many records they are.
        """
        with self._lock:
            is_full = self._records >= MAX_RECORDS or self._bytes >= MAX_BYTES
            # What the thread itself has to say of the drops is not dropped.
            if is_full and threading.current_thread() is not self._thread:
                self._drop(records)
                return
            self._records += records
            self._bytes += len(text)
            self._add((text, records))

    def reopen(self) -> None:
        """Open the log file again by its name, once what waits now is written to the old one."""
        with self._lock:
            self._add(None)

    def flush(self, seconds: float) -> None:
        """Write what waits and end the thread; the next record starts another.

        Args:
            seconds: The longest time to wait for that.
        """
        with self._lock:
            thread = self._thread
            self._ending = True
            self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def close(self) -> None:
        """Close a log file. Later records are dropped; those to a stream are written at once.

        Call `flush` first.
        """
        self._closed = True
        self._output.close()

    def forget(self) -> None:
        """Start afresh in a forked child: the waiting records and the thread are the parent's."""
        self.dropped = 0
        self._begin()

    def _add(self, item: _Item) -> None:
        self._items.append(item)
        if self._idle:
            self._wake()
        elif self._thread is None:
            self._start()

    def _wake(self) -> None:
        self._idle = False
        self._wakes.put(None)

    def _start(self) -> None:
        if not self._closed:
            self._flush_at_exit()
            thread = threading.Thread(target=self._run, name="fastmllp-log", daemon=True)
            # A signal handler that wrote a record meanwhile has started one.
            if self._thread is None:
                self._thread = thread
                self._ending = False
                self._count_waiting()
                try:
                    thread.start()
                except RuntimeError:
                    # There are too many threads, or the interpreter is ending.
                    self._thread = None
        if self._thread is None:
            self._write_waiting()

    def _count_waiting(self) -> None:
        # Counted again, in case the thread before has died with some in its hands.
        self._records = sum(item[1] for item in self._items if item is not None)
        self._bytes = sum(len(item[0]) for item in self._items if item is not None)

    def _flush_at_exit(self) -> None:
        """Flush at the end of a child of multiprocessing too, which runs no `atexit` functions."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None and self._process != os.getpid():
            self._process = os.getpid()
            util.Finalize(self, self.flush, (FLUSH_SECONDS,), exitpriority=0)

    def _run(self) -> None:
        try:
            while self._wait():
                self._write_waiting()
                with contextlib.suppress(queue.Empty):
                    self._wakes.get(timeout=0 if self._ending else _GATHER_SECONDS)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _wait(self) -> bool:
        """Wait until there is something to write; False when the thread must end instead."""
        while True:
            with self._lock:
                if self._items:
                    return True
                if self._ending:
                    self._thread = None
                    return False
                self._idle = True
            self._wakes.get()

    def _write_waiting(self) -> None:
        with self._lock:
            items, self._items = self._items, deque()
        chunk, records = "", 0
        for item in items:
            if chunk and (item is None or len(chunk) + len(item[0]) > _CHUNK):
                self._write(chunk, records)
                chunk, records = "", 0
            if item is None:
                self._reopen()
            else:
                chunk += item[0]
                records += item[1]
        if chunk:
            self._write(chunk, records)

    def _write(self, chunk: str, records: int) -> None:
        error = self._write_all(chunk.encode(self._output.encoding, "backslashreplace"))
        with self._lock:
            self._records -= records
            self._bytes -= len(chunk)
            if error:
                self._error = error
                self._drop(records)
                return
            fields: dict[str, object] = {"count": self._unsaid}
            if self._error:
                fields["error"] = self._error
            self._unsaid, self._error = 0, ""
        if fields["count"]:
            self._tell("records_dropped", fields)

    def _write_all(self, data: bytes) -> str:
        """Write a chunk, with one call where the system takes it whole; what went wrong."""
        rest = b"\n" + data if self._is_cut else data
        while rest:
            try:
                rest = rest[self._output.write(rest) :]
                self._is_cut = bool(rest)
            except BlockingIOError:
                time.sleep(_FULL_SECONDS)
            except (OSError, ValueError) as failure:
                return _reason(failure)
        return ""

    def _drop(self, records: int) -> None:
        self.dropped += records
        self._unsaid += records

    def _reopen(self) -> None:
        try:
            self._output.reopen()
        except (OSError, ValueError) as failure:
            file = getattr(failure, "filename", None)
            self._tell("log_reopen_failed", {"file": file, "error": _reason(failure)})

    def _tell(self, event: str, fields: dict[str, object]) -> None:
        # Observers and handlers of the program hear of it too, and may raise.
        with contextlib.suppress(Exception):
            self._on_trouble(event, fields)


def _reason(failure: OSError | ValueError) -> str:
    return getattr(failure, "strerror", None) or type(failure).__name__


def _before_fork() -> None:
    for writer in list(_writers):
        writer.flush(_FORK_SECONDS)


def _in_child() -> None:
    for writer in list(_writers):
        writer.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)

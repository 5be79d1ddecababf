"""No answer waits for the log: a thread writes its lines, in order, and counts what it drops."""

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import fastmllp.logging.writer
import pytest
from conftest import Program, Serve
from fastmllp.logging import (
    LOGGER,
    add_observer,
    configure,
    log_event,
    log_events,
    records_dropped,
    remove_observer,
)
from fastmllp.logging.writer import LogWriter
from peers import DEADLINE, Peer, not_before, wait_until

pytestmark = pytest.mark.usefixtures("restored_log")


class Pipe:
    """A log that is read only when the test reads it."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.reader = open(reading)
        self.writer: TextIO = open(writing, "w")

    def close(self) -> None:
        # The reader first: a thread may be waiting for it.
        for file in (self.reader, self.writer):
            with contextlib.suppress(OSError):
                file.close()

    def fill(self) -> None:
        """Leave no room in it, so that the next line waits until somebody reads."""
        descriptor = self.writer.fileno()
        os.set_blocking(descriptor, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(descriptor, b"\n")
        os.set_blocking(descriptor, True)

    def read_until(self, text: str) -> list[str]:
        lines = []
        while True:
            lines.append(self.reader.readline())
            if text in lines[-1]:
                return lines


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many records may wait in this test."""
    monkeypatch.setattr(fastmllp.logging.writer, "MAX_RECORDS", 100)
    return 100


def numbers(lines: list[str]) -> list[int]:
    found = [re.search(r"event=test number=(\d+)", line) for line in lines]
    return [int(match[1]) for match in found if match]


def test_no_answer_waits_for_the_reader_of_the_log(serve_both: Serve, pipe: Pipe) -> None:
    configure(stream=pipe.writer)
    server = serve_both()
    with Peer.connect(server.address) as peer:
        # Much more than the 64 KiB that a pipe holds.
        for number in range(1500):
            peer.exchange(f"M{number}")
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    lines = pipe.read_until("event=disconnect")
    assert sum("event=ack_sent" in line for line in lines) == 1500
    assert records_dropped() == 0


def test_the_program_answers_and_stops_though_nobody_reads_its_log(
    program: Callable[..., Program],
) -> None:
    server = program()
    with Peer.connect(server.address) as peer:
        for number in range(1500):
            peer.exchange(f"M{number}")
    server.process.terminate()
    assert server.process.wait(DEADLINE) == 0
    server.process.communicate()


def test_what_is_dropped_is_counted_and_said(pipe: Pipe, few: int) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []

    def hear(event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        if event == "records_dropped":
            heard.append((event, fields))

    # The log takes nothing from the first record on, and so drops all 50 at once.
    pipe.fill()
    configure(stream=pipe.writer)
    add_observer(hear)
    try:
        sent = 0
        while records_dropped() < 50:
            log_event(logging.INFO, "test", number=sent)
            sent += 1
        lines = pipe.read_until("event=records_dropped")
        log_event(logging.INFO, "test", number=sent)
        lines += pipe.read_until(f"number={sent}\n")
    finally:
        remove_observer(hear)
    (said,) = [line for line in lines if "records_dropped" in line]
    assert said.endswith(" ERROR event=records_dropped count=50\n") and records_dropped() == 50
    assert heard == [("records_dropped", {"count": 50})]
    assert numbers(lines) == [*range(sent - 50), sent]


def test_the_bytes_that_wait_are_bounded_too(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastmllp.logging.writer, "MAX_BYTES", 100_000)
    configure(stream=pipe.writer)
    # The second waits for the reader of the first, and may have any size.
    for number in range(50):
        log_event(logging.INFO, "test", number=number, text="A" * 90_000)
    assert 45 <= records_dropped() <= 49
    lines = pipe.read_until("event=records_dropped")
    assert numbers(lines) == list(range(50 - records_dropped()))


def test_a_record_is_written_without_another(pipe: Pipe) -> None:
    configure(stream=pipe.writer)
    for number in range(3):
        log_event(logging.INFO, "test", number=number)
        assert numbers([pipe.reader.readline()]) == [number]


def test_lines_of_many_threads_and_of_many_events(pipe: Pipe) -> None:
    configure(stream=pipe.writer)

    def work(number: int) -> None:
        for turn in range(200):
            log_events(logging.INFO, "test", number, [{"turn": turn}, {"turn": turn}])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    found: dict[str, list[int]] = {}
    for _ in range(4 * 400):
        match = re.search(r" INFO event=test connection=(\d) turn=(\d+)$", pipe.reader.readline())
        assert match
        found.setdefault(match[1], []).append(int(match[2]))
    assert found == {str(n): [t // 2 for t in range(400)] for n in range(4)}
    for thread in threads:
        thread.join()


def test_a_stream_that_was_closed_gets_nothing(pipe: Pipe) -> None:
    reading, writing = os.pipe()
    stream = open(writing, "w")
    configure(stream=stream)
    stream.close()
    # Takes the number of the descriptor, as a connection would.
    os.dup2(pipe.writer.fileno(), writing)
    log_event(logging.INFO, "test", number=1)
    LOGGER.handlers[0].flush()
    os.close(writing)
    pipe.writer.close()
    assert pipe.reader.read() == "" and records_dropped() == 1
    os.close(reading)


def test_without_another_thread(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    configure(stream=pipe.writer)
    monkeypatch.setattr(threading.Thread, "start", start)
    for number in range(3):
        log_event(logging.INFO, "test", number=number)
    assert numbers([pipe.reader.readline() for _ in range(3)]) == [0, 1, 2]
    monkeypatch.undo()
    log_event(logging.INFO, "test", number=3)
    assert numbers([pipe.reader.readline()]) == [3]


def test_after_the_end_of_logging(pipe: Pipe) -> None:
    configure(stream=pipe.writer)
    log_event(logging.INFO, "test", number=0)
    logging.shutdown()
    log_event(logging.INFO, "test", number=1)
    assert numbers([pipe.reader.readline() for _ in range(2)]) == [0, 1]


def test_a_full_descriptor_that_does_not_block(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer.fileno(), False)
    configure(stream=pipe.writer)
    for number in range(3000):
        log_event(logging.INFO, "test", number=number)
    assert numbers([pipe.reader.readline() for _ in range(3000)]) == list(range(3000))


class Output:
    """Takes bytes as it is told to."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.data = b""
        self.room = 2**31
        self.gate = threading.Event()
        self.gate.set()

    def write(self, lines: bytes) -> int:
        assert self.gate.wait(DEADLINE)
        taken = min(len(lines), self.room)
        if not taken:
            raise OSError(28, "No space left on device")
        self.data += lines[:taken]
        self.room -= taken
        return taken

    def reopen(self) -> None: ...

    def close(self) -> None: ...


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output()
    told: list[tuple[str, dict[str, object]]] = []
    writer = LogWriter(output, lambda event, fields: told.append((event, fields)))
    writer.put("one\n", 1)
    writer.flush(DEADLINE)
    output.room = 2
    writer.put("two\n", 1)
    writer.flush(DEADLINE)
    writer.put("three\nfour\n", 2)
    writer.flush(DEADLINE)
    assert told == [] and writer.dropped == 3
    output.room = 100
    writer.put("five\n", 1)
    writer.flush(DEADLINE)
    # The piece of a line is no part of the next one.
    assert output.data == b"one\ntw\nfive\n"
    assert told == [("records_dropped", {"count": 3, "error": "No space left on device"})]
    writer.put("six\n", 1)
    writer.flush(DEADLINE)
    assert output.data.endswith(b"\nfive\nsix\n") and len(told) == 1 and writer.dropped == 3


def test_a_record_after_a_pause() -> None:
    output = Output()
    writer = LogWriter(output, lambda event, fields: None)
    for text in (b"one\n", b"two\n", b"three\n"):
        writer.put(text.decode(), 1)
        wait_until(lambda text=text: output.data.endswith(text), "the record")
        wait_until(lambda: writer._idle, "the pause")


def test_what_is_said_of_drops_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastmllp.logging.writer, "MAX_RECORDS", 1)
    output = Output()

    def say(event: str, fields: dict[str, object]) -> None:
        # Others are faster.
        other = threading.Thread(target=writer.put, args=("other\n", 1))
        other.start()
        other.join()
        writer.put(f"{fields['count']} dropped\n", 1)

    writer = LogWriter(output, say)
    output.gate.clear()
    writer.put("one\n", 1)
    writer.put("two\n", 1)
    output.gate.set()
    writer.flush(DEADLINE)
    assert output.data == b"one\nother\n1 dropped\n"


def test_a_flush_has_a_deadline() -> None:
    output = Output()
    output.gate.clear()
    writer = LogWriter(output, lambda event, fields: None)
    writer.put("one\n", 1)
    with not_before(0.05):
        writer.flush(0.05)
    assert output.data == b""
    writer.put("two\n", 1)
    output.gate.set()
    wait_until(lambda: output.data == b"one\ntwo\n", "the lines that waited")
    writer.put("three\n", 1)
    writer.flush(DEADLINE)
    assert output.data == b"one\ntwo\nthree\n"


def test_an_observer_that_fails_does_not_end_the_log() -> None:
    def fail(event: str, fields: dict[str, object]) -> None:
        raise ValueError

    output = Output()
    writer = LogWriter(output, fail)
    output.room = 0
    writer.put("one\n", 1)
    writer.flush(DEADLINE)
    output.room = 100
    for text in ("two\n", "three\n"):
        writer.put(text, 1)
        writer.flush(DEADLINE)
    assert output.data == b"two\nthree\n"


def test_a_record_of_a_signal_handler_amid_another() -> None:
    output = Output()
    writer = LogWriter(output, lambda event, fields: None)

    class Text(str):
        """Its length is asked for while a record is being added."""

        def __len__(self) -> int:
            if not interrupted:
                interrupted.append(True)
                writer.put("of the handler\n", 1)
            return super().__len__()

    interrupted: list[bool] = []
    writer.put(Text("interrupted\n"), 1)
    writer.flush(DEADLINE)
    assert sorted(output.data.splitlines()) == [b"interrupted", b"of the handler"]

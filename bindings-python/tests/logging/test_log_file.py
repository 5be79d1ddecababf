"""The log file: appended to, opened again after a rotation, shared by processes."""

import io
import logging
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from fastmllp.logging import LOGGER, configure, log_event, reopen
from peers import DEADLINE

pytestmark = pytest.mark.usefixtures("restored_log")


def note(number: int) -> None:
    log_event(logging.INFO, "test", number=number)


def written(path: Path) -> list[int]:
    """The numbers in a file, once everything is written."""
    LOGGER.handlers[0].flush()
    return [int(number) for number in re.findall(r"event=test number=(\d+)\n", path.read_text())]


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "fastmllp.log"
    for number in range(3):
        configure(file=path)
        note(number)
    assert written(path) == [0, 1, 2]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o640), (0o077, 0o600), (0, 0o640)])
def test_who_may_read_it(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        configure(file=tmp_path / "log")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == mode


def test_a_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configure(file="log")
    note(0)
    os.rename("log", "log.1")
    note(1)
    monkeypatch.chdir("/")
    # What is called before this is in the old file, however late the thread writes it.
    reopen()
    note(2)
    assert written(tmp_path / "log") == [2] and written(tmp_path / "log.1") == [0, 1]
    reopen()
    note(3)
    assert written(tmp_path / "log") == [2, 3]


def test_a_file_that_was_emptied(tmp_path: Path) -> None:
    """As ``copytruncate`` of logrotate does."""
    path = tmp_path / "log"
    configure(file=path)
    note(0)
    assert written(path) == [0]
    os.truncate(path, 0)
    note(1)
    assert written(path) == [1]


def test_a_file_that_cannot_be_opened_again(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "log\x1b"
    configure(file=path)
    note(0)
    os.rename(tmp_path / "logs", tmp_path / "moved")
    reopen()
    note(1)
    moved = tmp_path / "moved" / path.name
    assert written(moved) == [0, 1]
    quoted = str(path).replace("\x1b", "\\u001b")
    said = f'ERROR event=log_reopen_failed file="{quoted}" error="No such file or directory"\n'
    assert said in moved.read_text()
    os.rename(tmp_path / "moved", tmp_path / "logs")
    reopen()
    note(2)
    assert written(path) == [0, 1, 2]


@pytest.mark.parametrize("path", ["missing/log", ".", "a\0b", "pipe"])
def test_a_file_that_cannot_be_opened(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    configure(file="log")
    with pytest.raises(OSError):
        configure("debug", "json", True, file=path)
    # All is as before.
    note(1)
    assert written(tmp_path / "log") == [1] and not LOGGER.isEnabledFor(logging.DEBUG)


def test_a_file_and_a_stream() -> None:
    with pytest.raises(ValueError, match="stream and file"):
        configure(stream=io.StringIO(), file="log")


def test_a_pipe_that_somebody_reads(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    os.set_blocking(reader.fileno(), True)
    with reader:
        configure(file=path)
        for number in range(3000):
            note(number)
        assert [line.split("=")[-1] for line in (reader.readline() for _ in range(3000))] == [
            f"{number}\n" for number in range(3000)
        ]


def test_reopen_without_a_file() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    reopen()
    note(1)
    assert stream.getvalue().endswith("number=1\n")


def test_reopen_in_a_signal_handler(tmp_path: Path) -> None:
    path = tmp_path / "log"
    before = signal.signal(signal.SIGUSR1, lambda number, frame: reopen())
    try:
        configure(file=path)
        note(0)
        for turn in range(20):
            os.rename(path, tmp_path / f"log.{turn}")
            signal.raise_signal(signal.SIGUSR1)
            note(turn)
            assert written(path) == [turn]
    finally:
        signal.signal(signal.SIGUSR1, before)


MANY = """
import logging, sys
from fastmllp.logging import configure, log_event
configure(file=sys.argv[1])
for number in range(5000):
    log_event(logging.INFO, "test", number=number)
"""


def test_many_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    command = [sys.executable, "-c", MANY, path]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(3 * DEADLINE) for process in processes] == [0] * 3
    lines = path.read_text().splitlines()
    assert len(lines) == 15_000
    assert all(re.fullmatch(r"\S+Z INFO event=test number=\d+", line) for line in lines)

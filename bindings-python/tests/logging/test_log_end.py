"""The last records of a program, and those of its children."""

import multiprocessing
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from peers import DEADLINE
from platforms import can_fork

BEGIN = """
import logging, os, signal, sys, threading
from fastmllp.logging import configure, log_event
configure()
def note(begin, end):
    for number in range(begin, end):
        log_event(logging.INFO, "test", number=number)
"""


def run(program: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-W", "error", "-c", BEGIN + program]
    return subprocess.run(command, timeout=3 * DEADLINE, **options)


def numbers(program: str) -> list[int]:
    """What the program has written to standard error."""
    done = run(program, stderr=subprocess.PIPE)
    return numbers_in(done.stderr)


def numbers_in(log: bytes) -> list[int]:
    text = log.decode()
    assert "Warning" not in text
    return [int(number) for number in re.findall(r"event=test number=(\d+)\n", text)]


@pytest.mark.parametrize(
    "end",
    [
        "",
        "sys.exit(3)",
        "raise ValueError",
        "signal.raise_signal(signal.SIGINT)",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)); signal.raise_signal(15)",
        "logging.shutdown(); os._exit(0)",
        "threading.Thread(target=note, args=(5000, 6000)).start(); sys.exit()",
    ],
)
def test_the_last_records(end: str) -> None:
    count = 6000 if "5000" in end else 5000
    assert numbers(f"note(0, 5000)\n{end}") == list(range(count))


def test_a_record_at_the_very_end() -> None:
    # The logger of the standard library has ended by then.
    program = """
class Late:
    def __del__(self):
        note(2, 3)
late = Late()
late.itself = late
note(0, 2)
"""
    assert numbers(program) == [0, 1, 2]


@can_fork
def test_a_forked_child() -> None:
    """Each record once."""
    program = """
note(0, 100)
child = os.fork()
if child == 0:
    note(1000, 1100)
    logging.shutdown()
    os._exit(0)
note(100, 200)
os.waitpid(child, 0)
"""
    found = numbers(program)
    assert [n for n in found if n < 1000] == list(range(200))
    assert [n for n in found if n >= 1000] == list(range(1000, 1100))


@can_fork
def test_no_thread_is_there_at_a_fork() -> None:
    # Such functions are called in the reverse of this order.
    before = """
import os, threading
os.register_at_fork(before=lambda: print(threading.active_count()))
"""
    program = "note(0, 1)\nif os.fork() == 0: os._exit(0)"
    command = [sys.executable, "-c", f"{before}\n{BEGIN}\n{program}"]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE)
    assert done.stdout == b"1\n"


CHILD = """
import logging, multiprocessing, sys
from fastmllp.logging import configure, log_event
def note(begin, end):
    for number in range(begin, end):
        log_event(logging.INFO, "test", number=number)
def child():
    configure()
    note(100, 200)
if __name__ == "__main__":
    configure()
    note(0, 100)
    process = multiprocessing.get_context(sys.argv[1]).Process(target=child)
    process.start()
    process.join()
"""


@pytest.mark.parametrize(
    "method",
    [
        method if method == "spawn" else pytest.param(method, marks=can_fork)
        for method in multiprocessing.get_all_start_methods()
    ],
)
def test_a_child_of_multiprocessing(method: str, tmp_path: Path) -> None:
    """It ends without the functions of `atexit`."""
    path = tmp_path / "program.py"
    path.write_text(CHILD)
    command = [sys.executable, path, method]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=3 * DEADLINE)
    assert numbers_in(done.stderr) == list(range(200))


@can_fork
def test_a_fork_while_the_reader_hangs() -> None:
    """The child has a thread of its own, and what waits is not written by both."""
    program = """
import fastmllp.logging.writer, warnings
fastmllp.logging.writer._FORK_SECONDS = 0.01
warnings.simplefilter("ignore", DeprecationWarning)  # That of a fork with two threads.
reading, writing = os.pipe()
configure(stream=open(writing, "w"))
note(0, 2000)
child = os.fork()
if child == 0:
    note(5000, 5100)
    with open(reading) as lines:
        for line in lines:
            os.write(2, line.encode())
            if "number=5099" in line:
                os._exit(0)
os.waitpid(child, 0)
os._exit(0)
"""
    found = numbers(program)
    assert len(found) == len(set(found))
    assert [n for n in found if n >= 5000] == list(range(5000, 5100))


def test_a_reader_that_hangs_does_not_hold_the_end() -> None:
    command = [sys.executable, "-c", BEGIN + "note(0, 5000)"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.wait(3 * DEADLINE) == 0
    process.communicate()


def test_a_full_disk_and_a_closed_stream() -> None:
    with open("/dev/full", "w") as full:
        assert run("note(0, 10); print('done')", stderr=full, stdout=subprocess.PIPE).stdout
    command = f"{sys.executable} -c '{BEGIN}note(0, 10); print(1)' 2>&-"
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, timeout=DEADLINE)
    assert done.stdout == b"1\n" and done.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="pipes that keep writes apart")
def test_a_pipe_takes_whole_lines() -> None:
    """Each write ends with a line and is no longer than what a pipe takes whole."""
    program = """
import fcntl
reading, writing = os.pipe2(os.O_DIRECT)
fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
os.dup2(writing, 2)
os.close(writing)
for number in range(400):
    log_event(logging.INFO, "test", number=number, text="A" * (number % 300))
log_event(logging.INFO, "long", text="B" * 10_000)
logging.shutdown()
os.close(2)
# With this flag, each read returns one write, or a part of it when it is longer than a page.
while data := os.read(reading, 1 << 20):
    print(len(data), data.endswith(b"\\n"), data.count(b"event=test"))
"""
    done = run(program, stdout=subprocess.PIPE)
    reads = [line.split() for line in done.stdout.decode().splitlines()]
    lengths = [int(length) for length, _, _ in reads]
    whole = [read for read in reads if int(read[2])]
    assert max(lengths) <= 4096 and {read[1] for read in whole} == {"True"}
    assert sum(int(read[2]) for read in whole) == 400
    # And no write for each line.
    assert len(whole) < 100

"""Messages that are stored before they are acknowledged."""

import errno
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import Program, Records, Run, Serve, Start
from fastmllp import Client, Message
from fastmllp.saving import SaveTo, remove_unfinished
from peers import DEADLINE, Peer, framed, message, msa

A, B, C = message("A"), message("B"), message("C")
NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-\d+-\d+\.hl7")
MARK = "MARK4711"


def stored(folder: Path) -> list[bytes]:
    """The contents of the files that count, in the order of their names' last number."""
    paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert all(NAME.fullmatch(path.name) for path in paths)
    return [path.read_bytes() for path in sorted(paths, key=running_number)]


def running_number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def test_content_is_byte_identical(serve_both: Serve, tmp_path: Path) -> None:
    payloads = [A, b"", b"\r\n\0\xff\xfe not HL7 \n", bytes(range(0x1D, 0x100)) * 100, A]
    server = serve_both(SaveTo(tmp_path))
    with Peer.connect(server.address) as peer:
        for payload in payloads:
            peer.send(framed(payload))
            assert peer.receive_msa()[0] == "AA"
        assert stored(tmp_path) == payloads
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_name_comes_from_the_clock_and_from_counters(serve_both: Serve, tmp_path: Path) -> None:
    nasty = A.replace(b"|A|", b"|../../etc/passwd|").replace(b"SENDER", b"/tmp/x\0")
    server = serve_both(SaveTo(tmp_path / "spool"))
    for _ in range(2):
        with Peer.connect(server.address) as peer:
            peer.send(framed(nasty) * 2)
            peer.receive_frame()
            peer.receive_frame()
    names = sorted(path.name for path in (tmp_path / "spool").iterdir())
    assert [name.split("Z-")[1] for name in names] == ["1-2.hl7", "1-3.hl7", "2-4.hl7", "2-5.hl7"]
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_files_are_private(tmp_path: Path) -> None:
    path = SaveTo(tmp_path / "spool").store(A)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_flushed_and_named_before_the_acknowledgment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    save = SaveTo(tmp_path)
    fsync, link = os.fsync, os.link

    def recorded_fsync(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
        steps.append("folder" if is_folder else f"file of {os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def recorded_link(source: Path, target: Path) -> None:
        steps.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "link", recorded_link)
    assert save(Message(A)) is None
    assert steps == [f"file of {len(A)} bytes", "name", "folder"]


def fail_with(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("call", ["fsync", "link", "open"])
def test_what_cannot_be_stored_is_refused(
    serve_both: Serve, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    payload = message(MARK, MARK)
    server = serve_both(SaveTo(tmp_path))
    with Peer.connect(server.address) as peer:
        peer.exchange("BEFORE")

        def fail(*arguments: object) -> None:
            raise fail_with(errno.ENOSPC)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            peer.send(framed(payload))
            answer = peer.receive_frame()
            assert msa(answer) == ("AE", MARK)
            assert b"|message could not be stored\r" in answer and b"\rERR|" in answer
            assert MARK.encode() not in answer.replace(b"MSA|AE|" + MARK.encode(), b"")
        peer.exchange("AFTER")
    record = records.wait_for("save_failed")
    assert record.levelname == "ERROR" and record.connection == 1  # type: ignore[attr-defined]
    text = record.getMessage()
    assert 'error="No space left on device"' in text and MARK not in text
    assert stored(tmp_path) == [message("BEFORE"), message("AFTER")]
    assert len(list(tmp_path.iterdir())) == 2, "something is left of the failure"


def test_name_that_did_not_get_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is flushed, its name is not: after a power failure it might be there or not."""
    save = SaveTo(tmp_path)
    fsync, calls = os.fsync, 0

    def second_fails(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise fail_with(errno.EIO)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(OSError, match="Input/output error"):
        save.store(A)
    assert calls == 2 and list(tmp_path.iterdir()) == []


def test_disk_that_takes_a_part(tmp_path: Path) -> None:
    """A write may take less than it is given; what is over the limit fails."""
    resource = pytest.importorskip("resource")
    code = (
        "import resource, signal, sys\n"
        "from fastmllp.saving import SaveTo\n"
        "save = SaveTo(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "save.store(b'x' * 1000)\n"
        "try:\n"
        "    save.store(b'y' * 1001)\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE)
    assert (done.stdout, done.stderr) == (b"File too large\n", b"")
    assert resource is not None and stored(tmp_path) == [b"x" * 1000]
    assert len(list(tmp_path.iterdir())) == 1


def test_crash_between_writing_and_naming(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from fastmllp.saving import SaveTo\n"
        "save = SaveTo(sys.argv[1])\n"
        "os.link = lambda *names: os._exit(9)\n"
        "save.store(b'MSH|^~\\\\&|')\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, timeout=DEADLINE).returncode == 9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".") and left.name.endswith(".part")
    SaveTo(tmp_path).store(A)
    assert stored(tmp_path) == [A]


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with the same clock, the same connection and the same running numbers."""
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    one, other = SaveTo(tmp_path), SaveTo(tmp_path)
    paths = [save.store(payload) for save, payload in ((one, A), (other, B), (one, C))]
    assert len(set(paths)) == 3
    assert paths[0].name == "20231114T221320.123456Z-0-2.hl7"
    assert [path.read_bytes() for path in paths] == [A, B, C]


def test_many_threads(serve_both: Serve, tmp_path: Path) -> None:
    server = serve_both(SaveTo(tmp_path))
    start = threading.Barrier(8)

    def send(number: int) -> None:
        with Client(*server.address) as client:
            start.wait(DEADLINE)
            for repetition in range(10):
                assert client.send(message(f"{number}-{repetition}")).accepted

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    expected = sorted(message(f"{n}-{repetition}") for n in range(8) for repetition in range(10))
    assert sorted(stored(tmp_path)) == expected


def test_folder_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write where the rights say no, so it is the system that says it here."""
    open_really = os.open

    def read_only(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT and Path(path).parent == tmp_path:
            raise fail_with(errno.EROFS)
        return open_really(path, flags, *mode)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(OSError, match="Read-only file system"):
        SaveTo(tmp_path)


def test_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        SaveTo(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        SaveTo(tmp_path / "missing" / "below")


def test_folder_that_vanishes(serve_both: Serve, tmp_path: Path) -> None:
    """It is not made anew: a disk that is gone must not be replaced by the one below it."""
    folder = tmp_path / "spool"
    server = serve_both(SaveTo(folder))
    folder.rmdir()
    with Peer.connect(server.address) as peer:
        peer.send(framed(A))
        assert peer.receive_msa() == ("AE", "A")
        assert not folder.exists()
        folder.mkdir()
        peer.exchange("B")
    assert stored(folder) == [B]


def test_serve_saves(program: Start, tmp_path: Path) -> None:
    server: Program = program("--save", str(tmp_path / "spool"))
    with Peer.connect(server.address) as peer:
        peer.send(framed(A) + framed(B))
        assert [peer.receive_msa(), peer.receive_msa()] == [("AA", "A"), ("AA", "B")]
    status, _, err = server.stop()
    assert status == 0 and stored(tmp_path / "spool") == [A, B]
    assert err.count(b"event=saved connection=1") == 2


def test_serve_cannot_save(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "missing" / "spool"
    result = run("serve", "--host", "127.0.0.1", "--port", "0", "--save", folder)
    assert (result.returncode, result.stdout) == (1, b"")
    expected = f"fastmllp serve: cannot save to {folder}: No such file or directory\n"
    assert result.stderr.decode() == expected


UNFINISHED = ".20260131T120000.123456Z-7-42-4711.part"


def test_unfinished_files_of_dead_processes_are_removed(records: Records, tmp_path: Path) -> None:
    others = [
        ".part",
        ".x.part",
        UNFINISHED[1:],
        UNFINISHED + "x",
        "20260131T120000.123456Z-7-42.hl7",
    ]
    for name in [UNFINISHED, UNFINISHED.replace(".part", ".named"), *others]:
        (tmp_path / name).write_bytes(A)
    SaveTo(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)
    record = records.wait_for("unfinished_removed")
    assert record.levelname == "WARNING" and record.fields == {"count": 2}  # type: ignore[attr-defined]
    SaveTo(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(others)


def test_unfinished_file_of_a_killed_process(tmp_path: Path) -> None:
    """While it lives its file stays, whoever looks; when it is killed the file goes."""
    pytest.importorskip("fcntl")
    code = (
        "import os, sys, time\n"
        "from fastmllp.saving import SaveTo\n"
        "save = SaveTo(sys.argv[1])\n"
        "def wait(*names):\n"
        "    print('written', flush=True)\n"
        "    sys.stdin.read()\n"
        "os.link = wait\n"
        "save.store(b'MSH|^~\\\\&|')\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"written\n"
        SaveTo(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1, "a file that is being written was removed"
        process.kill()
    SaveTo(tmp_path).store(A)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [A]


def test_file_taken_for_a_dead_one_before_it_was_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    save = SaveTo(tmp_path)
    flock = fcntl.flock

    def first(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        assert remove_unfinished(tmp_path) == 1
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", first)
    path = save.store(A)
    assert [path.read_bytes()] == stored(tmp_path) == [A]
    assert len(list(tmp_path.iterdir())) == 1

"""``fastmllp serve --reload``: new code whenever a file of the project changes."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Program, Run, Start
from fastmllp.cli.project import Project
from peers import DEADLINE, Peer, framed, message, wait_until
from platforms import can_share_a_port
from test_cli_workers import is_gone, workers_of

words = pytest.mark.parametrize("word", ["def", "async def"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a handler that answers AE; it is the current directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "feed.py").write_text("def store(message):\n    return 'AE'\n")
    return folder


@pytest.fixture
def reloading(program: Start, project: Path) -> Callable[..., Program]:
    def start(*options: str) -> Program:
        return program("--reload", "feed:store", *options)

    return start


def code_of(server: Program) -> str:
    """What a new connection is answered."""
    try:
        with Peer.connect(server.address) as peer:
            peer.send(framed(message("A")))
            return peer.receive_msa()[0]
    except (ConnectionResetError, ConnectionAbortedError, EOFError, AssertionError):
        return ""  # Taken by the process that was just stopping.


def wait_until_it_says(server: Program, code: str) -> None:
    wait_until(lambda: code_of(server) == code, f"an answer {code}")


@can_share_a_port
@words
def test_handler_is_reloaded(reloading: Start, project: Path, word: str) -> None:
    (project / "feed.py").write_text(f"{word} store(message):\n    return 'AE'\n")
    server = reloading()
    assert code_of(server) == "AE"
    (project / "feed.py").write_text(f"{word} store(message):\n    return 'AR'\n")
    wait_until_it_says(server, "AR")
    # It may also be of the other kind now.
    (project / "feed.py").write_text("async def store(message):\n    return 'AA'\n")
    wait_until_it_says(server, "AA")
    status, out, err = server.stop()
    assert (status, out) == (0, b"") and b"Traceback" not in err
    assert err.count(b"INFO event=handler_reloaded process=") == 2


@can_share_a_port
def test_file_that_is_saved_twice_in_a_second(
    reloading: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have the same size, so bytecode of the first would be taken for that of the second."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    file = project / "feed.py"
    os.utime(file, (1_700_000_000, 1_700_000_000))
    server = reloading()
    file.write_text("def store(message):\n    return 'AR'\n")
    os.utime(file, (1_700_000_000.5, 1_700_000_000.5))
    wait_until_it_says(server, "AR")
    assert server.stop()[0] == 0


@can_share_a_port
def test_files_that_count(reloading: Start, project: Path) -> None:
    """Those of the project that were imported, in a handler too, and no others."""
    (project / "lab").mkdir()
    for file in ("early", "late", "never"):
        (project / "lab" / f"{file}.py").write_text("code = 'AE'\n")
    (project / "feed.py").write_text(
        "import lab.early\n"
        "def store(message):\n"
        "    import lab.late\n"
        "    return 'AR' if lab.late.code == 'AR' else lab.early.code\n"
    )
    server = reloading()
    assert code_of(server) == "AE"
    (project / "lab" / "never.py").write_text("code = 'changed'\n")
    (project / "lab" / "early.py").write_text("code = 'AA'\n")
    wait_until_it_says(server, "AA")
    (project / "lab" / "late.py").write_text("code = 'AR'\n")
    wait_until_it_says(server, "AR")
    assert server.stop()[2].count(b"event=handler_reloaded") == 2


@can_share_a_port
def test_broken_handler_waits_for_the_next_change(reloading: Start, project: Path) -> None:
    server = reloading("-q")
    file = project / "feed.py"
    for text, why in {
        "def store(:\n": f"SyntaxError: invalid syntax ({file}, line 1)",
        "import absent\n": f"ModuleNotFoundError: No module named 'absent' ({file}, line 1)",
    }.items():
        file.write_text(text)
        rest = "the handler from before goes on until the next change"
        assert server.error_line().decode() == (
            f"fastmllp serve: handler feed:store: {why}; {rest}\n"
        )
        assert code_of(server) == "AE"
    # What was missing is there now; the file that misses it has not changed.
    (project / "absent.py").write_text("")
    assert b"there is no store in feed" in server.error_line()
    file.write_text("import absent\ndef store(message):\n    return 'AR'\n")
    wait_until_it_says(server, "AR")
    assert server.stop() == (0, b"", b"")


@can_share_a_port
def test_stop_while_a_broken_handler_waits(reloading: Start, project: Path) -> None:
    server = reloading("-q")
    (project / "feed.py").write_text("raise ValueError\n")
    assert b"ValueError" in server.error_line()
    processes = workers_of(server)
    assert len(processes) == 2
    assert server.stop() == (0, b"", b"")
    assert all(map(is_gone, processes))


@can_share_a_port
def test_handler_that_is_broken_from_the_beginning(run: Run, project: Path) -> None:
    """It may be the name that is wrong, and nothing serves."""
    (project / "feed.py").write_text("raise ValueError\n")
    result = run("serve", "--host", "127.0.0.1", "--port", "0", "--reload", "feed:store")
    assert (result.returncode, result.stdout) == (2, b"")
    place = f"{project / 'feed.py'}, line 1"
    assert result.stderr.decode() == f"fastmllp serve: handler feed:store: ValueError ({place})\n"


@can_share_a_port
@words
def test_message_that_was_received_is_answered_by_the_old_handler(
    reloading: Start, project: Path, word: str
) -> None:
    wait = "await asyncio.sleep(0.01)" if word.startswith("async") else "time.sleep(0.01)"
    text = (
        "import asyncio, pathlib, time\n"
        f"{word} store(message):\n"
        "    while not pathlib.Path('go').exists():\n"
        f"        {wait}\n"
        "    return 'AE'\n"
    )
    (project / "feed.py").write_text(text)
    server = reloading()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        while b"event=connect " not in server.error_line():
            pass
        (project / "feed.py").write_text("def store(message):\n    return 'AR'\n")
        while b"event=handler_reloaded" not in server.error_line():
            pass
        # The old process does not listen for much longer; a connection that it takes waits.
        (project / "go").touch()
        assert [peer.receive_msa(), peer.receive_msa()] == [("AE", "A"), ("AE", "B")]
        assert peer.receive_end() == b""
    wait_until_it_says(server, "AR")
    assert server.stop()[0] == 0


@can_share_a_port
def test_no_accepted_message_is_lost(reloading: Start, project: Path) -> None:
    """A sender that sends again what was not answered, while the code changes again and again."""
    text = (
        "import os\n"
        "def store(message):\n"
        "    with open('stored', 'ab', buffering=0) as file:\n"
        "        file.write(message.header.message_control_id + b' {}\\n')\n"
    )
    file = project / "feed.py"
    file.write_text(text.format(0))
    server = reloading("-q")
    accepted: list[str] = []
    for version in range(1, 4):
        file.write_text(text.format(version))
        while not (project / "stored").exists() or (
            b" %d\n" % version not in (project / "stored").read_bytes()
        ):
            # Never refused: the new process listens before the old one stops.
            with Peer.connect(server.address) as peer:
                while True:
                    number = f"N{len(accepted)}"
                    try:
                        peer.send(framed(message(number)))
                        assert peer.receive_msa() == ("AA", number)
                    except (OSError, EOFError, IndexError, AssertionError):
                        break  # Closed by a process that stops.
                    accepted.append(number)
                    if b" %d\n" % version in (project / "stored").read_bytes():
                        break
    assert server.stop() == (0, b"", b"")
    stored = {line.split()[0].decode() for line in (project / "stored").read_bytes().splitlines()}
    assert set(accepted) <= stored and len(accepted) > 3


@can_share_a_port
def test_process_that_dies_is_replaced(reloading: Start, project: Path) -> None:
    server = reloading()
    before = workers_of(server)
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: workers_of(server) - before != set(), "a new process")
    wait_until(lambda: is_answered(server), "an answer")
    status, _, err = server.stop()
    assert status == 0 and err.count(b"event=worker_died process=%d" % min(before)) == 1


def is_answered(server: Program) -> bool:
    try:
        return code_of(server) == "AE"
    except ConnectionRefusedError:
        return False


@can_share_a_port
def test_old_process_that_dies_while_a_broken_handler_waits(
    reloading: Start, project: Path
) -> None:
    server = reloading("-q")
    (serving,) = workers_of(server)
    (project / "feed.py").write_text("raise ValueError\n")
    assert b"goes on until the next change" in server.error_line()
    os.kill(serving, signal.SIGKILL)
    assert b"event=worker_died" in server.error_line()
    assert b"ValueError" in server.error_line()
    (project / "feed.py").write_text("def store(message):\n    return 'AE'\n")
    wait_until(lambda: is_answered(server), "an answer")
    assert server.stop()[0] == 0


@can_share_a_port
@pytest.mark.parametrize("is_broken", [False, True])
def test_processes_end_when_nobody_watches_them(
    reloading: Start, project: Path, is_broken: bool
) -> None:
    server = reloading("-q")
    if is_broken:
        (project / "feed.py").write_text("raise ValueError\n")
        assert b"ValueError" in server.error_line()
    processes = workers_of(server)
    assert len(processes) == 1 + is_broken
    server.process.kill()
    server.process.communicate(timeout=DEADLINE)  # They have its streams until they end.
    wait_until(lambda: all(map(is_gone, processes)), "the end of the processes")


def imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as imported."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (1, 1))
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, f"of_{path.stem}", module)
    return path


def test_a_look_at_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change counts once."""
    ours = imported(project / "ours.py", monkeypatch)
    library = imported(project / "lib" / "site-packages" / "library.py", monkeypatch)
    outside = imported(project.parent / "outside.py", monkeypatch)
    chosen = imported(project.parent / "chosen.py", monkeypatch)
    looked = Project("of_chosen")
    looked.watch([str(project / "missing.py")])
    assert not looked.has_changed()
    for path in (library, outside):
        path.write_text("x")
        assert not looked.has_changed()
    for path in (ours, chosen, project / "missing.py"):
        path.write_text("x")
        assert looked.has_changed() and not looked.has_changed()
        path.unlink()
        assert looked.has_changed() and not looked.has_changed()


def test_change_before_the_first_look(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be saved while others are imported. One from another clock has not changed."""
    imported(project / "before.py", monkeypatch)
    ahead = imported(project / "ahead.py", monkeypatch)
    os.utime(ahead, (time.time() + 3600,) * 2)
    looked = Project("of_before")
    assert not looked.has_changed()
    looked = Project("of_before")
    now = time.time_ns() + 1
    monkeypatch.setattr(time, "time_ns", lambda: now + 1_000_000)
    os.utime(project / "before.py", ns=(now, now))
    looked.begin()
    assert not looked.has_changed()
    pauses: list[int] = []
    looked.wait_for_change(lambda: pauses.append(1))
    assert pauses == [1]


def test_change_is_over_when_two_looks_are_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = imported(project / "saved.py", monkeypatch)
    looked = Project("of_saved")
    looks: list[int] = []

    def pause() -> None:
        looks.append(len(looks))
        if looks[-1] in (1, 2):
            file.write_text("x" * looks[-1])

    looked.wait_for_change(pause)
    assert looks == [0, 1, 2, 3]

"""``fastmllp serve MODULE:NAME``: a handler of the user's, found by its name."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run, Start
from fastmllp.cli.handler import CannotLoad, check_name, is_coroutine_function, load
from peers import DEADLINE, Peer, framed, message
from platforms import can_share_a_port

workers = pytest.mark.parametrize("count", ["1", pytest.param("2", marks=can_share_a_port)])

# Says AE with a thread, AR on a loop.
HANDLERS = """
import asyncio
import threading

def is_on_loop():
    try:
        return bool(asyncio.get_running_loop())
    except RuntimeError:
        return False

def plain(message):
    return "AR" if is_on_loop() else "AE"

async def coroutine(message):
    await asyncio.sleep(0)
    return "AR" if is_on_loop() else "AE"

class Feed:
    code = "AE"

    def take(self, message):
        return plain(message)

    async def take_later(self, message):
        return await coroutine(message)

    async def __call__(self, message):
        return await coroutine(message)

feed = Feed()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@workers
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("plain", "AE"),
        ("coroutine", "AR"),
        ("feed.take", "AE"),
        ("feed.take_later", "AR"),
        ("feed", "AR"),
    ],
)
def test_handler(program: Start, project: Path, name: str, code: str, count: str) -> None:
    (project / "lab").mkdir()
    (project / "lab" / "feed.py").write_text(HANDLERS)
    server = program(f"lab.feed:{name}", "--workers", count)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert [peer.receive_msa(), peer.receive_msa()] == [(code, "A"), (code, "B")]
    status, out, err = server.stop()
    assert (status, out) == (0, b"") and b"Traceback" not in err
    assert err.count(b"event=ack_sent") == 2


def test_program_looks_in_the_current_directory(project: Path) -> None:
    """As a script, which Python does not look beside."""
    (project / "feed.py").write_text("import sys\nsys.exit('found')\n")
    script = Path(sys.executable).parent / "fastmllp"
    if not script.exists():
        pytest.skip("the program is not installed")
    command = [script, "serve", "--port", "0", "feed:store"]
    done = subprocess.run(command, capture_output=True, timeout=3 * DEADLINE)
    assert done.returncode == 2 and b"SystemExit: found" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("word", ["def", "async def"])
def test_signal_lets_the_handler_answer(
    program: Start, project: Path, word: str, number: int
) -> None:
    """It waits until the signal is there, and is waited for."""
    wait = "await asyncio.sleep(0.01)" if word.startswith("async") else "time.sleep(0.01)"
    (project / "feed.py").write_text(
        "import asyncio, pathlib, time\n"
        f"{word} store(message):\n"
        "    print('called', flush=True)\n"
        "    while not pathlib.Path('go').exists():\n"
        f"        {wait}\n"
    )
    server = program("feed:store")
    assert server.process.stdout is not None
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert server.process.stdout.readline() == b"called\n"
        server.process.send_signal(number)
        (project / "go").touch()
        assert peer.receive_msa() == ("AA", "A")
        assert peer.receive_end() == b""
    out, err = server.process.communicate(timeout=DEADLINE)
    assert (server.process.returncode, out) == (0, b"") and b"Traceback" not in err


@pytest.mark.parametrize("word", ["def", "async def"])
def test_second_signal_does_not_wait_for_the_handler(
    program: Start, project: Path, word: str
) -> None:
    wait = "await asyncio.sleep(1e6)" if word.startswith("async") else "time.sleep(1e6)"
    (project / "feed.py").write_text(
        "import asyncio, time\n"
        f"{word} store(message):\n    print('called', flush=True)\n    {wait}\n"
    )
    server = program("feed:store", "--stop-timeout", "0")
    assert server.process.stdout is not None
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert server.process.stdout.readline() == b"called\n"
        server.process.send_signal(signal.SIGTERM)
        # It has heard the first one when it listens no more.
        while True:
            try:
                socket.create_connection(server.address, DEADLINE).close()
            except OSError:
                break
        assert server.stop()[0] == 0


@pytest.mark.parametrize(
    "options",
    [
        (),
        pytest.param(("--workers", "2"), marks=can_share_a_port),
        pytest.param(("--reload",), marks=can_share_a_port),
    ],
)
def test_signal_while_a_module_is_imported(project: Path, options: tuple[str, ...]) -> None:
    """It may take for ever, and nothing has been received."""
    (project / "feed.py").write_text(
        "import time\nprint('importing', flush=True)\ntime.sleep(1e6)\n"
    )
    command = [sys.executable, "-m", "fastmllp", "serve", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(
        [*command, *options, "feed:store"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"importing\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=DEADLINE) == (b"", b"")
    assert process.returncode == (0 if options else -signal.SIGTERM)


@workers
@pytest.mark.parametrize("word", ["def", "async def"])
def test_message_is_stored_before_the_handler_sees_it(
    program: Start, project: Path, word: str, count: str
) -> None:
    (project / "feed.py").write_text(
        "import pathlib\n"
        f"{word} store(message):\n"
        "    (file,) = pathlib.Path('spool').glob('*.hl7')\n"
        "    return 'AR' if file.read_bytes() == message.payload else 'AE'\n"
    )
    server = program("feed:store", "--save", "spool", "--workers", count)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert peer.receive_msa() == ("AR", "A")
        (project / "spool").rename(project / "elsewhere")
        peer.send(framed(message("B")))
        # Not asked: it would have failed, and that would be on record.
        assert peer.receive_msa() == ("AE", "B")
    status, _, err = server.stop()
    assert status == 0 and b"event=save_failed" in err and b"handler_failed" not in err


@pytest.mark.parametrize("word", ["def", "async def"])
def test_settings_are_those_of_the_server(program: Start, project: Path, word: str) -> None:
    (project / "feed.py").write_text(f"{word} store(message):\n    return 'AA'\n")
    (project / "site.toml").write_text("[server]\nmax_size = 500\nname = 'ward-3'\n")
    server = program("--config", "site.toml", "--over-limit", "refuse", "feed:store")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("BIG").ljust(501, b"x")))
        assert peer.receive_msa() == ("AR", "BIG")
        peer.exchange("A")
    status, _, err = server.stop()
    assert status == 0 and b"event=ack_sent connection=1 name=ward-3" in err


NOWHERE = {
    "none:store": "there is no module none",
    "lab.none:store": "there is no module lab.none",
    "feed.none:store": "there is no module feed.none",
    "feed:none": "there is no none in feed",
    "feed:store.none": "there is no store.none in feed",
    "feed:NUMBER": "NUMBER cannot be called",
    "feed:Feed": "Feed is a class, not an instance of one",
    "imports:store": "ModuleNotFoundError: No module named 'absent' (FOLDER/imports.py, line 2)",
    "broken:store": "SyntaxError: invalid syntax (FOLDER/broken.py, line 2)",
    "outer:store": "ValueError: not today (FOLDER/inner.py, line 3)",
    "library:store": "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    " (FOLDER/library.py, line 2)",
    "leaves:store": "SystemExit: 3 (FOLDER/leaves.py, line 1)",
    "odd:store": r"ValueError: a\x1b[2J (FOLDER/odd.py, line 1)",
}


@workers
@pytest.mark.parametrize("name", NOWHERE)
def test_name_that_leads_nowhere(run: Run, project: Path, name: str, count: str) -> None:
    for file, text in {
        "feed.py": "NUMBER = 1\nclass Feed: ...\ndef store(message): ...\n",
        "imports.py": "\nimport absent\n",
        "broken.py": "\nstore =\n",
        "outer.py": "import inner\n",
        "inner.py": "def fail():\n\n    raise ValueError('not today')\n\nfail()\n",
        "library.py": "import json\nstore = json.loads('')\n",
        "leaves.py": "raise SystemExit(3)\n",
        "odd.py": "raise ValueError('a\\x1b[2J\\nb')\n",
        "lab/__init__.py": "",
    }.items():
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(text)
    result = run("serve", "--host", "127.0.0.1", "--port", "0", "--workers", count, name)
    why = NOWHERE[name].replace("FOLDER", str(project))
    assert result.stderr.decode() == f"fastmllp serve: handler {name}: {why}\n"
    assert (result.returncode, result.stdout) == (2, b"")


@pytest.mark.parametrize(
    "name", ["feed", "feed:", ":store", "feed:store()", "feed:a:b", ".feed:store", "feed/x:y", ""]
)
def test_name_of_another_form(run: Run, name: str) -> None:
    with pytest.raises(ValueError, match="handler must be MODULE:NAME"):
        check_name(name)
    result = run("serve", "--port", "0", name)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"handler must be MODULE:NAME, such as package.module:store, not " in result.stderr


def test_what_does_not_go_together(run: Run, project: Path) -> None:
    for options, text in {
        ("--reload",): b"--reload needs a handler",
        ("--reload", "--workers", "2", "feed:store"): b"--reload needs [server] workers = 1",
        ("--reload", "--metrics-port", "1", "feed:store"): b"[metrics] metrics_port cannot be used"
        b" with --reload",
    }.items():
        result = run("serve", "--port", "0", *options)
        assert (result.returncode, result.stdout) == (2, b"")
        assert result.stderr == b"fastmllp serve: " + text + b"\n"


def test_load(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "loaded_here.py").write_text(HANDLERS)
    monkeypatch.setattr(sys, "path", ["/nowhere", *sys.path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    kinds = {
        name: is_coroutine_function(load(f"loaded_here:{name}"))
        for name in ("plain", "coroutine", "feed", "feed.take", "feed.take_later")
    }
    assert [name for name, is_one in kinds.items() if is_one] == [
        "coroutine",
        "feed",
        "feed.take_later",
    ]
    assert sys.path[:2] == [str(project), "/nowhere"]
    with pytest.raises(CannotLoad) as caught:
        load("loaded_here:Feed.code")
    assert caught.value.files == frozenset()

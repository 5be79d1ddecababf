"""The examples in C, Rust and Python do the same, and do it with each other.

They are built by `make examples`; this is run by `make test-examples`.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent
ROOT = EXAMPLES.parent
BUILT = ROOT / "target"
SAMPLES = sorted((EXAMPLES / "samples").glob("*.hl7"))
ADMISSION = EXAMPLES / "samples" / "adt_a01.hl7"
LANGUAGES = ["c", "rust", "python"]

FRAME = b"\x0bMSH|^~\\&|LAB||HIS||20261121||ORU^R01|%d|P|2.5.1\rOBX|1\r\x1c\r"


def command(language: str, program: str) -> list[str]:
    match language:
        case "c":
            return [str(BUILT / "c" / "examples" / program)]
        case "rust":
            return [str(BUILT / "release" / program)]
        case _:
            return [sys.executable, str(EXAMPLES / "python" / f"{program}.py")]


def run(language: str, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [*command(language, program), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, encoding="latin-1", timeout=30, check=False)


class RunningServer:
    """One of the three servers, as a process."""

    def __init__(self, language: str) -> None:
        self.process = subprocess.Popen(
            [*command(language, "ack_server"), "0"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def busy(self, seconds: float) -> float:
        """How much of this time it computes, from 0 to 1."""
        before = self._cpu_seconds()
        time.sleep(seconds)
        return (self._cpu_seconds() - before) / seconds

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> str:
        """SIGTERM; what the server said at its end."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0
        return output.strip()


@contextlib.contextmanager
def serving(language: str) -> Iterator[RunningServer]:
    server = RunningServer(language)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def read_answers(peer: socket.socket, count: int) -> list[bytes]:
    answers, rest = [], b""
    while len(answers) < count:
        chunk = peer.recv(65536)
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\x1c\r")
        answers += whole
    return answers


@pytest.mark.parametrize("sender", LANGUAGES)
@pytest.mark.parametrize("server", LANGUAGES)
def test_every_sender_with_every_server(server: str, sender: str) -> None:
    with serving(server) as running:
        sent = run(sender, "send", "127.0.0.1", running.port, *SAMPLES)
        assert sent.stdout == "".join(f"{path}: AA\n" for path in SAMPLES), sent.stderr
        assert sent.returncode == 0
        assert running.stop() == f"{len(SAMPLES)} messages"


@pytest.mark.parametrize("sender", LANGUAGES)
def test_a_file_that_cannot_be_read(sender: str) -> None:
    with serving("c") as running:
        sent = run(sender, "send", "127.0.0.1", running.port, "nowhere.hl7", SAMPLES[0])
    assert sent.stdout == f"nowhere.hl7: not_readable\n{SAMPLES[0]}: AA\n"
    assert sent.returncode == 1


@pytest.mark.parametrize("sender", LANGUAGES)
def test_nobody_listens(sender: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    sent = run(sender, "send", "127.0.0.1", port, SAMPLES[0])
    assert (sent.stdout, sent.returncode) == (f"{SAMPLES[0]}: not_connected\n", 1)


@pytest.mark.parametrize("sender", LANGUAGES)
def test_a_refusal_is_no_success(sender: str, tmp_path: Path) -> None:
    """A receiver that answers AE, and one that answers another message."""
    path = tmp_path / "message.hl7"
    path.write_bytes(b"MSH|^~\\&|A||||1||ADT^A01|M1|P|2.5\nPID|1\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = [*command(sender, "send"), "127.0.0.1", str(listener.getsockname()[1]), str(path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            peer, _ = listener.accept()
            with peer:
                frame = peer.recv(4096)
                assert frame == b"\x0bMSH|^~\\&|A||||1||ADT^A01|M1|P|2.5\rPID|1\r\x1c\r"
                peer.sendall(b"\x0bMSH|^~\\&|||||1||ACK|7|P|2.5\rMSA|AE|M1\r\x1c\r")
                output, _ = process.communicate(timeout=30)
    assert (output, process.returncode) == (f"{path}: AE\n", 1)


def answer_each_and_close(listener: socket.socket, answer: bytes, connections: int) -> None:
    """One message on each connection; its answer and the end leave in one segment."""
    for number in range(connections):
        peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            peer.send(answer % number, socket.MSG_MORE)


@contextlib.contextmanager
def answering_each_and_closing(answer: bytes, connections: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        arguments = (listener, answer, connections)
        server = threading.Thread(target=answer_each_and_close, args=arguments)
        server.start()
        yield listener.getsockname()[1]
        server.join()


def write_messages(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.hl7" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(b"MSH|^~\\&|A||||1||ADT^A01|M%d|P|2.5\rPID|1\r" % number)
    return paths


@pytest.mark.parametrize("sender", LANGUAGES)
def test_a_receiver_that_closes_after_each_answer(sender: str, tmp_path: Path) -> None:
    """No message is written to a connection whose end has come."""
    paths = write_messages(tmp_path, 4)
    answer = b"\x0bMSH|^~\\&|||||1||ACK|7|P|2.5\rMSA|AA|M%d\r\x1c\r"
    with answering_each_and_closing(answer, len(paths)) as port:
        sent = run(sender, "send", "127.0.0.1", port, *paths)
    assert (sent.stdout, sent.returncode) == ("".join(f"{path}: AA\n" for path in paths), 0)


@pytest.mark.parametrize("sender", ["c", "rust"])
def test_a_suspended_link_ends(sender: str, tmp_path: Path) -> None:
    """By the built-in rules, a receiver that answers without MSA gets nothing further."""
    paths = write_messages(tmp_path, 3)
    with answering_each_and_closing(b"\x0bMSH|^~\\&|||||1||ACK|%d|P|2.5\r\x1c\r", 1) as port:
        sent = run(sender, "send", "127.0.0.1", port, *paths)
    said = zip(paths, ["no-msa", "suspended", "suspended"], strict=True)
    assert sent.stdout == "".join(f"{path}: {word}\n" for path, word in said)
    assert sent.returncode == 1


@pytest.mark.parametrize("sender", ["c", "rust"])
def test_a_stored_message_and_one_that_asks_for_no_answer_are_accepted(
    sender: str, tmp_path: Path
) -> None:
    """Nothing is waited for that is not asked for, and nothing after CA."""
    path = tmp_path / "message.hl7"
    header = "MSH|^~\\&|LAB||HIS||20261121||ORU^R01|M0|P|2.5.1|||"
    path.write_text(header + "AL|AL\n")
    stored = b"\x0bMSH|^~\\&|||||1||ACK|7|P|2.5\rMSA|CA|M%d\r\x1c\r"
    with answering_each_and_closing(stored, 1) as port:
        sent = run(sender, "send", "127.0.0.1", port, path)
    assert (sent.stdout, sent.returncode) == (f"{path}: stored\n", 0)
    path.write_text(header + "NE|NE\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sent = run(sender, "send", "127.0.0.1", silent.getsockname()[1], path)
    assert (sent.stdout, sent.returncode) == (f"{path}: unasked\n", 0)


@pytest.mark.parametrize("server", LANGUAGES)
def test_bad_input_costs_nobody_else_anything(server: str) -> None:
    with serving(server) as running:
        with running.connect() as truncated:
            truncated.sendall(b"\x0bMSH|^~\\&|half a mess")
            truncated.shutdown(socket.SHUT_WR)
            assert truncated.recv(4096) == b""
        with running.connect() as noisy:
            noisy.sendall(b"noise\r\n\x00" + FRAME % 1 + b"\x0b\x1c" + FRAME % 2)
            answers = read_answers(noisy, 3)
        assert [b"|1" in answers[0][-3:], b"|2" in answers[2][-3:]] == [True, True]
        assert running.stop() == "3 messages"


@pytest.mark.parametrize("server", LANGUAGES)
@pytest.mark.parametrize(
    "hello",
    [
        b"\x16\x03\x01\x00\x80" + FRAME % 1,
        b"GET / HTTP/1.1\r\n" + FRAME % 1,
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x0b\x0b\x02\x01" + FRAME % 1,
    ],
)
def test_nothing_of_another_protocol_is_a_message(server: str, hello: bytes) -> None:
    with serving(server) as running:
        with running.connect() as peer:
            peer.sendall(hello)
            # Closed, with or without a reset, and without an acknowledgment.
            with contextlib.suppress(ConnectionResetError):
                assert b"MSA" not in peer.recv(4096)
        assert running.stop() == "0 messages"


@pytest.mark.parametrize("server", ["c", "rust"])
def test_a_message_above_the_limit_is_refused(server: str) -> None:
    with serving(server) as running, running.connect() as peer:
        peer.sendall(FRAME.replace(b"OBX|1", b"OBX|" + b"x" * 300_000) % 1 + FRAME % 2)
        refused, accepted = read_answers(peer, 2)
        assert b"MSA|AR|1\r" in refused
        assert b"MSA|AA|2\r" in accepted
        assert running.stop() == "1 messages"


@pytest.mark.parametrize("server", ["c", "rust"])
def test_what_cannot_be_answered_is_not_taken(server: str, capfd: pytest.CaptureFixture) -> None:
    """Nor is its connection kept: the sender must see that something is wrong."""
    with serving(server) as running:
        with running.connect() as peer:
            peer.sendall((FRAME % 1).replace(b"|1|P", b"|" + b"1" * 2000 + b"|P") + FRAME % 2)
            assert b"MSA|AA|2\r" in read_answers(peer, 2)[0]
            assert peer.recv(4096) == b""
        assert running.stop() == "1 messages"
    assert capfd.readouterr().err == "not answered: buffer_too_small\n"


@pytest.mark.parametrize("server", LANGUAGES)
def test_no_descriptor_left(server: str) -> None:
    """Those that cannot be accepted wait, without work for the server, until one ends."""
    with serving(server) as running, contextlib.ExitStack() as first:
        for number in range(4):
            peer = first.enter_context(running.connect())
            peer.sendall(FRAME % number)
            assert len(read_answers(peer, 1)) == 1
        files = len(os.listdir(f"/proc/{running.process.pid}/fd"))
        resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (files, files))
        with running.connect() as late:
            late.sendall(FRAME % 4)
            assert running.busy(1.0) < 0.3
            first.close()
            assert read_answers(late, 1)[0].endswith(b"MSA|AA|4\r")


@pytest.mark.parametrize("server", LANGUAGES)
def test_waiting_for_a_peer_to_close_is_no_work(server: str) -> None:
    with serving(server) as running, running.connect() as peer:
        peer.sendall(FRAME % 1)
        assert len(read_answers(peer, 1)) == 1
        running.process.send_signal(signal.SIGTERM)
        assert peer.recv(4096) == b""
        assert running.busy(0.5) < 0.3


@pytest.mark.parametrize("server", LANGUAGES)
def test_idle_connections_do_not_matter(server: str) -> None:
    with serving(server) as running, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(running.connect()) for _ in range(300)]
        with running.connect() as busy:
            for number in range(200):
                busy.sendall(FRAME % number)
                (answer,) = read_answers(busy, 1)
                assert answer.endswith(b"MSA|AA|%d\r" % number)
        idle[150].sendall(FRAME % 4711)
        assert read_answers(idle[150], 1)[0].endswith(b"MSA|AA|4711\r")


@pytest.mark.parametrize("server", LANGUAGES)
def test_what_was_received_is_answered_before_the_end(server: str) -> None:
    """SIGTERM while many messages are on their way: as many answers as messages taken."""
    with serving(server) as running, running.connect() as peer:
        for number in range(500):
            peer.sendall(FRAME % number)
        assert peer.recv(1, socket.MSG_PEEK) == b"\x0b"
        running.process.send_signal(signal.SIGTERM)
        answers = read_answers(peer, 500)
        output, _ = running.process.communicate(timeout=30)
        assert running.process.returncode == 0
        taken = int(output.split()[0])
        assert len(answers) == taken
        assert [answer.split(b"|")[-1] for answer in answers] == [
            b"%d\r" % number for number in range(taken)
        ]


def test_a_peer_that_does_not_read_its_answers() -> None:
    """It is not read any further, the others are, and it still gets every answer."""
    with serving("c") as running, running.connect() as slow, running.connect() as other:
        slow.settimeout(0.3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 400_000:
                slow.sendall(FRAME % 1 * 100)
                sent += 100
        assert sent < 400_000
        other.sendall(FRAME % 2)
        assert read_answers(other, 1)[0].endswith(b"MSA|AA|2\r")
        slow.settimeout(20)
        assert len(read_answers(slow, sent)) >= sent


@pytest.mark.parametrize("language", LANGUAGES)
def test_peek(language: str) -> None:
    shown = run(language, "peek", ADMISSION, "MSH-10", "PID-5.1", "ZZZ-1")
    lines = ["MSH-10\tADT20240131000001", "PID-5.1\tEVERYWOMAN", "ZZZ-1\t(absent)"]
    assert (shown.stdout.splitlines(), shown.returncode) == (lines, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_peek_says_what_is_wrong(language: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleague,\n")
    shown = run(language, "peek", path, "PID-3")
    assert (shown.stdout, shown.returncode) == ("", 1)
    assert "no_header" in shown.stderr
    shown = run(language, "peek", ADMISSION, "PID-")
    assert (shown.stdout, shown.returncode) == ("", 1)
    assert "bad_path" in shown.stderr
    assert run(language, "peek").returncode == 2

"""``fastmllp serve`` with settings that concern more than the server: log, metrics, TLS."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from certificates import Authority, Identity
from conftest import Run, Start
from peers import DEADLINE, Peer, framed, message


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_log_in_json(program: Start) -> None:
    server = program("--log-format", "json")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
    status, _, err = server.stop()
    records = [json.loads(line) for line in err.splitlines()]
    assert status == 0 and "message_received" in {record["event"] for record in records}
    assert b"EVERYWOMAN" not in err


def test_metrics(program: Start) -> None:
    pytest.importorskip("prometheus_client")
    port = free_port()
    server = program("--metrics-port", str(port))
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text = page.read().decode()
    assert re.search(r'^fastmllp_messages_total\{name=""\} 1\.0$', text, re.MULTILINE)
    assert re.search(r'^fastmllp_connections_total\{name=""\} 1\.0$', text, re.MULTILINE)
    assert server.stop()[0] == 0


def test_metrics_at_a_port_in_use(run: Run) -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run("serve", "--host", "127.0.0.1", "--port", "0", "--metrics-port", port)
    assert (result.returncode, result.stdout) == (1, b"")
    expected = f"fastmllp serve: cannot offer metrics on 127.0.0.1:{port}: Address already in use\n"
    assert result.stderr.decode() == expected


def test_metrics_without_the_package_for_them() -> None:
    code = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from fastmllp.cli import main\n"
        "sys.exit(main(['serve', '--port', '0', '--metrics-port', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"pip install 'fastmllp[metrics]'" in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--tls-certificate", "x.pem"),
        ("--tls-key", "x.pem"),
        ("--tls-ca", "x.pem"),
        ("--tls-require-client-certificate",),
    ],
)
def test_server_is_never_open_by_mistake(run: Run, options: tuple[str, ...]) -> None:
    result = run("serve", "--port", "0", *options)
    assert (result.returncode, result.stdout) == (2, b"")
    expected = b"fastmllp serve: [server] TLS needs both tls_certificate and tls_key\n"
    assert result.stderr == expected


@pytest.mark.parametrize(
    "option", ["--tls-ca", "--tls-certificate", "--tls-key", "--tls-server-name"]
)
def test_client_is_never_open_by_mistake(run: Run, option: str) -> None:
    result = run("send", "--port", "1", option, "x", "-", stdin=message("A"))
    assert (result.returncode, result.stdout) == (2, b"")
    expected = b"[client] tls must be true where other settings of TLS are given\n"
    assert result.stderr == b"fastmllp send: " + expected


def tls_options(identity: Identity) -> tuple[str, ...]:
    return ("--tls-certificate", str(identity.certificate), "--tls-key", str(identity.key))


@pytest.mark.parametrize("window", ["1", "4"])
def test_tls_on_both_sides(
    program: Start, run: Run, authority: Authority, tmp_path: Path, window: str
) -> None:
    ca = ("--tls-ca", str(authority.file))
    ours, theirs = authority.issue("his.example"), authority.issue("lab.example")
    mutual = ("--tls-require-client-certificate", *ca)
    server = program(*tls_options(ours), *mutual, "--save", str(tmp_path))
    place = ("--host", server.address[0], "--port", server.address[1])
    options = (*place, "--tls", *ca, "--tls-server-name", "his.example", "--window", window)
    result = run("send", *options, *tls_options(theirs), "-", stdin=message("A"))
    assert (result.returncode, result.stderr) == (0, b"") and b"MSA|AA|A" in result.stdout
    for wrong in (options, place):  # Without a certificate, and without TLS.
        result = run("send", "--timeout", "5", *wrong, "-", stdin=message("B"))
        lines = result.stderr.splitlines()
        # A record may come before the complaint or after it: one thread writes all of them.
        assert result.returncode == 3
        records = [line for line in lines if b" event=wrong_protocol " in line]
        complaints = [line for line in lines if line.startswith(b"fastmllp send: ")]
        # Nothing else but the record that names what the server speaks.
        assert len(complaints) == 1 and len(records) + 1 == len(lines) <= 2
    status, _, err = server.stop()
    assert status == 0 and b"event=tls_established" in err and b"Traceback" not in err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [message("A")]


def test_tls_file_that_cannot_be_used(run: Run, authority: Authority, tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    options = ("--tls-certificate", none, "--tls-key", authority.issue("x").key)
    result = run("serve", "--port", "0", *options)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"fastmllp serve: [server] certificate {none}: ".encode())
    result = run("send", "--tls", "--tls-ca", none, "-", stdin=message("A"))
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"fastmllp send: [client] CA file {none}: ".encode())


def test_allow(program: Start) -> None:
    server = program("--allow", "192.0.2.0/24, 198.51.100.7")
    with Peer.connect(server.address) as peer, contextlib.suppress(ConnectionResetError):
        assert peer.receive_end() == b""
    assert b"event=peer_not_allowed" in server.stop()[2]
    server = program("--allow", "127.0.0.0/8")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")


def test_over_limit(program: Start) -> None:
    server = program("--over-limit", "refuse", "--max-size", "500")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("BIG").ljust(501, b"x")))
        assert peer.receive_msa() == ("AR", "BIG")
        peer.exchange("A")


def test_policy(program: Start, tmp_path: Path) -> None:
    """What is saved is accepted at the level that was asked for, and what cannot be is not."""
    enhanced = message("A").replace(b"|2.5\r", b"|2.5|||AL|NE\r")
    spool = tmp_path / "spool"
    server = program("--policy", "conformant", "--save", str(spool))
    with Peer.connect(server.address) as peer:
        peer.send(framed(enhanced))
        assert peer.receive_msa() == ("CA", "A")
        assert [path.read_bytes() for path in spool.iterdir()] == [enhanced]
        spool.rename(tmp_path / "elsewhere")
        peer.send(framed(enhanced))
        assert peer.receive_msa() == ("CE", "A")


def test_payloads_in_the_log_are_a_choice(program: Start) -> None:
    for options, logged in (((), False), (("--log-message",), True)):
        server = program(*options)
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
        assert (b"EVERYWOMAN" in server.stop()[2]) == logged

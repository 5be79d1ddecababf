"""``fastmllp serve`` with settings that concern more than the server: log, metrics, TLS."""

import json
import re
import socket
import subprocess
import sys
import urllib.request

import pytest
from conftest import Run
from peers import DEADLINE, Peer, message
from test_cli_serve import Start


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
    assert re.search(r"^fastmllp_messages_total 1\.0$", text, re.MULTILINE)
    assert re.search(r"^fastmllp_connections_total 1\.0$", text, re.MULTILINE)
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

"""SIGHUP of ``fastmllp serve``: the log file is opened again, the certificates are read again."""

import os
import signal
import socket
from pathlib import Path

import pytest
from certificates import Authority, Identity
from conftest import Program, Run, Start
from fastmllp import Client
from fastmllp.cli.signals import HANG_UP
from fastmllp.tls import client_context
from peers import DEADLINE, Peer, message, wait_until
from platforms import can_share_a_port
from test_cli_workers import workers_of

pytestmark = pytest.mark.skipif(not HANG_UP, reason="this system has no SIGHUP")


def hang_up(server: Program) -> None:
    server.process.send_signal(HANG_UP[0])


def serial_of(address: tuple[str, int], authority: Authority) -> int:
    """The certificate that a new connection gets."""
    context = client_context(ca=authority.file, check_hostname=False)
    with socket.create_connection(address, DEADLINE) as plain:
        with context.wrap_socket(plain) as secured:
            shown = secured.getpeercert()
    assert shown is not None
    return int(str(shown["serialNumber"]), 16)


def put(identity: Identity, certificate: Path, key: Path) -> None:
    certificate.write_bytes(identity.certificate.read_bytes())
    key.write_bytes(identity.key.read_bytes())


def test_without_a_log_file_it_is_one_record(program: Start) -> None:
    server = program("--name", "ward-3")
    with Peer.connect(server.address) as peer:
        peer.exchange("BEFORE")
        hang_up(server)
        peer.exchange("AFTER")
    wait_until_logged(server, b"event=reloaded name=ward-3")
    status, _, err = server.stop()
    assert status == 0 and b"reload_failed" not in err
    assert b"event=reloaded" not in err


def wait_until_logged(server: Program, text: bytes) -> None:
    """Read standard error up to a line with this text."""
    assert server.process.stderr is not None
    for line in server.process.stderr:
        if text in line:
            return
    raise AssertionError(f"no line with {text!r}")


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=can_share_a_port)])
def test_log_file_is_opened_again(program: Start, tmp_path: Path, workers: str) -> None:
    log, old = tmp_path / "log", tmp_path / "log.1"
    server = program("--log-file", str(log), "--workers", workers)
    with Peer.connect(server.address) as peer:
        peer.exchange("BEFORE")
    wait_until(lambda: b"disconnect" in log.read_bytes(), "the first connection")
    log.rename(old)
    hang_up(server)
    processes = 1 if workers == "1" else 3
    wait_until(
        lambda: log.exists() and log.read_bytes().count(b"event=reloaded") == processes,
        "a new log file",
    )
    with Peer.connect(server.address) as peer:
        peer.exchange("AFTER")
    status, _, err = server.stop()
    assert (status, err) == (0, b"")
    assert old.read_bytes().count(b"event=message_received") == 1
    assert log.read_bytes().count(b"event=message_received") == 1


def test_log_file_that_cannot_be_opened(run: Run, tmp_path: Path) -> None:
    for name in (tmp_path / "none" / "log", tmp_path):
        for command in (("serve",), ("send", "-")):
            result = run(*command, "--log-file", name, stdin=message("A"))
            assert (result.returncode, result.stdout) == (2, b"")
            expected = f"fastmllp {command[0]}: [logging] log_file: cannot write {name}: "
            assert result.stderr.decode().startswith(expected) and result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=can_share_a_port)])
def test_certificates_are_reloaded(
    program: Start, authority: Authority, tmp_path: Path, workers: str
) -> None:
    first, second = authority.issue("127.0.0.1"), authority.issue("127.0.0.1")
    certificate, key, log = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "log"
    put(first, certificate, key)
    options = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    server = program(*options, "--log-file", str(log), "--workers", workers)
    with Client(*server.address, tls=client_context(ca=authority.file)) as client:
        assert client.send(message("BEFORE")).accepted
        before = serial_of(server.address, authority)
        # One that cannot be used: the old one stays.
        key.write_bytes(b"damaged")
        hang_up(server)
        processes = 1 if workers == "1" else 3
        wait_until(lambda: log.read_bytes().count(b"event=reload_failed") == processes, "a failure")
        assert serial_of(server.address, authority) == before
        assert f'error="[server] key {key}: no private key in PEM form"' in log.read_text()
        put(second, certificate, key)
        hang_up(server)
        wait_until(lambda: log.read_bytes().count(b"event=reloaded") == processes, "new ones")
        after = {serial_of(server.address, authority) for _ in range(8)}
        assert len(after) == 1 and after != {before}
        # The connection that was open has not noticed.
        assert client.send(message("AFTER")).accepted
    assert server.stop()[0] == 0


@can_share_a_port
def test_worker_that_is_replaced_has_the_new_certificates(
    program: Start, authority: Authority, tmp_path: Path
) -> None:
    first, second = authority.issue("127.0.0.1"), authority.issue("127.0.0.1")
    certificate, key, log = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "log"
    put(first, certificate, key)
    options = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    server = program(*options, "--log-file", str(log), "--workers", "2")
    before = serial_of(server.address, authority)
    put(second, certificate, key)
    hang_up(server)
    wait_until(lambda: log.read_bytes().count(b"event=reloaded") == 3, "new certificates")
    # Nothing that comes later may change what a new worker has.
    key.write_bytes(b"damaged")
    old = workers_of(server)
    for worker in old:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(workers_of(server) - old) == 2, "new workers")
    wait_until(lambda: log.read_bytes().count(b"event=worker_died") == 2, "the records")
    assert before not in {serial_of(server.address, authority) for _ in range(8)}
    assert server.stop()[0] == 0


def test_many_signals_while_messages_come(program: Start, tmp_path: Path) -> None:
    server = program("--log-file", str(tmp_path / "log"))
    with Peer.connect(server.address) as peer:
        for number in range(100):
            hang_up(server)
            peer.exchange(str(number))
    status, _, err = server.stop()
    assert (status, err) == (0, b"")
    assert (tmp_path / "log").read_bytes().count(b"event=message_received") == 100

"""SIGHUP has certificates read again, and nothing else."""

import signal
import ssl
from pathlib import Path

import trustme
from fastmllp_engine.cli.client import Client
from partners import Partner
from running_engines import until
from serving import Server


def write_certificate(folder: Path) -> None:
    """Another certificate and its key."""
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))


def shown(port: int) -> str:
    """The certificate that a client is shown."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=20)


def test_a_hangup_has_certificates_read_again_and_nothing_else(
    feeds: Path, tmp_path: Path, partner: Partner, servers: list[Server]
) -> None:
    write_certificate(tmp_path)
    text = (feeds / "adt.py").read_text()
    files = f'tls_cert_file="{tmp_path}/server.pem", tls_key_file="{tmp_path}/server.key"'
    (feeds / "adt.py").write_text(text.replace("port=0", f"port=0, tls=True, {files}"))
    servers.append(server := Server(str(feeds)))
    port = server.port()
    first = shown(port)
    before = Client(feeds / "data").get("/status")["engine"]
    (feeds / "adt.py").write_text("this is half of an ed")
    write_certificate(tmp_path)
    assert shown(port) == first
    server.send_signal(signal.SIGHUP)
    until(lambda: shown(port), lambda it: it != first)
    second = shown(port)
    # One that cannot be read leaves the one before in place, and is said.
    (tmp_path / "server.pem").write_text("this is no certificate")
    server.send_signal(signal.SIGHUP)
    until(lambda: [it for it in server.errors if "the earlier certificate stays" in it])
    assert shown(port) == second
    after = Client(feeds / "data").get("/status")["engine"]
    assert after == before
    assert server.end() == 0

"""SIGHUP has certificates read again, and nothing else."""

import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from fastmllp_engine.cli.client import Client
from partners import Partner
from running_engines import until
from serving import Server


def write_certificate(folder: Path, end: datetime) -> None:
    """Another certificate and its key, valid until then."""
    issued = trustme.CA().issue_cert("localhost", not_after=end)
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))


def seconds(year: int) -> int:
    """Of its first moment, since 1970."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def valid_until(data: Path) -> int:
    """The year in which the only certificate in use ends."""
    (shown,) = Client(data).get("/status")["certificates"]
    assert (shown["connection"], shown["whose"]) == ("IB_ADT", "own")
    return datetime.fromtimestamp(shown["valid_until"] / 1000, UTC).year


def alerts(data: Path) -> list[dict[str, Any]]:
    """What is wrong."""
    found: list[dict[str, Any]] = Client(data).get("/status")["alerts"]
    return found


def asked(*arguments: str) -> list[str]:
    """The lines that a command prints."""
    command = [sys.executable, "-m", "fastmllp_engine", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def shown(port: int) -> str:
    """The certificate that a client is shown."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=20)


def test_a_hangup_has_certificates_read_again_and_nothing_else(
    feeds: Path, tmp_path: Path, partner: Partner, servers: list[Server]
) -> None:
    write_certificate(tmp_path, datetime(2300, 1, 1, tzinfo=UTC))
    text = (feeds / "adt.py").read_text()
    files = f'tls_cert_file="{tmp_path}/server.pem", tls_key_file="{tmp_path}/server.key"'
    (feeds / "adt.py").write_text(text.replace("port=0", f"port=0, tls=True, {files}"))
    servers.append(server := Server(str(feeds)))
    port = server.port()
    first = shown(port)
    assert valid_until(feeds / "data") == 2300
    before = Client(feeds / "data").get("/status")["engine"]
    (feeds / "adt.py").write_text("this is half of an ed")
    write_certificate(tmp_path, datetime(2400, 1, 1, tzinfo=UTC))
    assert shown(port) == first
    server.send_signal(signal.SIGHUP)
    until(lambda: shown(port), lambda it: it != first)
    second = shown(port)
    assert valid_until(feeds / "data") == 2400
    metrics = Client(feeds / "data").get_bytes("/metrics").decode()
    labels = '{stage="ingress",connection="IB_ADT",whose="own"}'
    assert f"fastmllp_certificate_valid_until_seconds{labels} {seconds(2400)}\n" in metrics
    table = asked("status", "--data", str(feeds / "data"))
    assert ["IB_ADT", "the", "engine", "2400-01-01", "00:00:00Z"] in map(str.split, table)
    # One that cannot be read leaves the one before in place, and is said.
    (tmp_path / "server.pem").write_text("this is no certificate")
    server.send_signal(signal.SIGHUP)
    until(lambda: [it for it in server.errors if "the earlier certificate stays" in it])
    assert shown(port) == second
    assert valid_until(feeds / "data") == 2400
    assert alerts(feeds / "data") == []
    write_certificate(tmp_path, datetime.now(UTC) + timedelta(days=10, hours=1))
    server.send_signal(signal.SIGHUP)
    told = until(lambda: alerts(feeds / "data"))
    assert [(it["kind"], it["connection"]) for it in told] == [("certificate", "IB_ADT")]
    table = asked("status", "--data", str(feeds / "data"))
    assert any(it.startswith("IB_ADT") and it.endswith("  10 days left") for it in table)
    after = Client(feeds / "data").get("/status")["engine"]
    assert after == before
    assert server.end() == 0

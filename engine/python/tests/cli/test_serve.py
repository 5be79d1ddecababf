"""`serve` as a process: what it prints, how it ends, and what is there when it starts again."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fastmllp_engine.api import door
from fastmllp_engine.cli.client import Client
from partners import Partner, frame, message, read_frame, send
from running_engines import until
from serving import Server


def test_it_receives_transforms_delivers_and_ends(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds)))
    lines = server.lines()
    assert lines[0] == f"{feeds}: 2 connections, 1 router, 1 handler"
    assert re.fullmatch(r"listening IB_ADT 127\.0\.0\.1:\d+", lines[1])
    assert lines[2:] == ["ready"]
    port = int(lines[1].rpartition(":")[2])
    assert send(port, [message("M1"), message("M2")]) == [b"AA", b"AA"]
    assert partner.wait_for(2)[0] == message("M1").replace(b"|W1", b"|W2")
    client = Client(feeds / "data")
    until(lambda: client.get("/messages/2")["disposition"], lambda it: it == "PROCESSED")
    assert re.fullmatch(r"[0-9a-f]{64}", client.get("/status")["engine"]["configuration"])
    assert server.end() == 0
    assert not (feeds / "data" / door.NAME).exists()
    assert not any("SECRETNAME" in line or "Traceback" in line for line in server.errors)


def test_log_records_are_lines_with_the_connection(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds), "--log-level", "debug"))
    send(server.port(), [message("M1")])
    partner.wait_for(1)
    partner.close()
    assert server.end() == 0
    assert any(
        re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z INFO OB_LAB: connected\n", line)
        for line in server.errors
    ), server.errors


def test_a_configuration_that_is_wrong_is_refused_with_all_its_errors(
    feeds: Path, servers: list[Server]
) -> None:
    (feeds / "more.py").write_text(
        "from fastmllp_engine import MLLP, inbound\n"
        'inbound("IB_TWO", MLLP(port=0), router="atd")\n'
        'inbound("IB_THREE", MLLP(port=99999), router="adt")\n'
    )
    servers.append(server := Server(str(feeds)))
    assert server.lines() == []
    assert server.wait() == 2
    assert any('unknown router "atd"; did you mean "adt"?' in line for line in server.errors)
    assert any("port must be from 0 to 65535" in line for line in server.errors)
    assert not (feeds / "data").exists()
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", "serve", str(feeds), "--json"],
        capture_output=True, check=False, timeout=50,
    )  # fmt: skip
    assert len(json.loads(ran.stdout)["findings"]) == 2


def test_an_engine_that_is_killed_goes_on_where_it_was(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    partner.code = None
    servers.append(server := Server(str(feeds)))
    assert send(server.port(), [message("M1"), message("M2")]) == [b"AA", b"AA"]
    partner.wait_for(1)
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    with pytest.raises(door.Closed, match="ended without a farewell"):
        door.connect(feeds / "data", 5)
    partner.code = "AA"
    servers.append(again := Server(str(feeds)))
    assert again.lines()[-1] == "ready"
    client = Client(feeds / "data")
    until(lambda: client.get("/messages/2")["disposition"], lambda it: it == "PROCESSED")
    assert client.post("/verify")["findings"] == []
    assert again.end(signal.SIGINT) == 0


def test_a_second_engine_is_refused_and_the_first_goes_on(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds)))
    port = server.port()
    servers.append(second := Server(str(feeds)))
    second.lines()
    assert second.wait() == 4
    assert Client(feeds / "data").get("/health")["status"] == "ok"
    assert send(port, [message("M1")]) == [b"AA"]
    assert server.end() == 0


def test_a_port_in_use_is_said(feeds: Path, partner: Partner, servers: list[Server]) -> None:
    text = (feeds / "adt.py").read_text().replace("port=0", f"port={partner.port}")
    (feeds / "adt.py").write_text(text.replace("port={port}", "port=1"))
    servers.append(server := Server(str(feeds)))
    server.lines()
    assert server.wait() in (2, 3)
    assert any("IB_ADT" in line for line in server.errors)


def test_what_was_received_is_answered_before_the_end(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds)))
    with socket.create_connection(("127.0.0.1", server.port()), timeout=20) as connection:
        rest = bytearray()
        for number in range(100):
            connection.sendall(frame(message(f"M{number}")))
        first = read_frame(connection, rest)
        assert first is not None
        server.send_signal(signal.SIGTERM)
        answers = [first]
        while (answer := read_frame(connection, rest)) is not None:
            answers.append(answer)
    assert server.wait() == 0
    accepted = [it for it in answers if b"MSA|AA" in it]
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", "verify", "--json", "--data", feeds / "data"],
        capture_output=True, check=True, timeout=50,
    )  # fmt: skip
    assert json.loads(ran.stdout)["received"] >= len(accepted)


def test_a_trace_reaches_the_operator_without_the_message(
    feeds: Path, servers: list[Server]
) -> None:
    text = (feeds / "adt.py").read_text()
    broken = text.replace('msg["PV1-3.1"] = "W2"', 'raise ValueError(msg["PID-5.1"])')
    (feeds / "adt.py").write_text(broken)
    line = broken[: broken.index("raise ValueError")].count("\n") + 1
    servers.append(server := Server(str(feeds)))
    assert send(server.port(), [message("M1")]) == [b"AA"]
    client = Client(feeds / "data")
    until(lambda: client.get("/messages/1")["disposition"], lambda it: it == "ERROR")
    (answer,) = client.get("/messages/1/why")["answers"]
    assert answer["said"] == f"ValueError at adt.py:{line} in to_lab"
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", "show", "1", "--data", feeds / "data"],
        capture_output=True, check=True, timeout=50, text=True,
    )  # fmt: skip
    assert ran.stdout.endswith(f"trace of to_lab\nadt.py:{line} in to_lab\nValueError\n")
    assert "SECRETNAME" not in ran.stdout
    assert server.end() == 0
    assert not any("SECRETNAME" in it for it in server.errors)


def test_a_function_that_ends_its_process_harms_its_message_alone(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    text = (feeds / "adt.py").read_text()
    deadly = 'if msg["MSH-10"] == "M2":\n        import os\n        os._exit(7)\n    '
    (feeds / "adt.py").write_text(text.replace('msg["PV1-3.1"]', f'{deadly}msg["PV1-3.1"]'))
    servers.append(server := Server(str(feeds)))
    assert send(server.port(), [message(f"M{it}") for it in (1, 2, 3)]) == [b"AA"] * 3
    client = Client(feeds / "data")
    dispositions = {1: "PROCESSED", 2: "ERROR", 3: "PROCESSED"}
    for number, wanted in dispositions.items():
        until(lambda: client.get(f"/messages/{number}")["disposition"], lambda it: it == wanted)  # noqa: B023
    assert [it.split(b"|")[9] for it in partner.wait_for(2)] == [b"M1", b"M3"]
    assert client.post("/verify")["findings"] == []
    assert server.end() == 0

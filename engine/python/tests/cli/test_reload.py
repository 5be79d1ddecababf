"""`reload`: another configuration for an engine that runs."""

import re
import subprocess
import sys
from pathlib import Path

from fastmllp_engine.cli.client import Client
from partners import Partner, message, send
from running_engines import until
from serving import Server


def reload(feeds: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", "reload", "--data", feeds / "data", *arguments],
        capture_output=True, check=False, timeout=50, text=True,
    )  # fmt: skip


def test_a_reload_changes_what_functions_do_and_loses_nothing(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds)))
    port = server.port()
    client = Client(feeds / "data")
    before = client.get("/status")["engine"]["configuration"]
    assert send(port, [message("M1")]) == [b"AA"]
    partner.wait_for(1)
    text = (feeds / "adt.py").read_text()
    (feeds / "adt.py").write_text(text.replace('"W2"', '"W3"'))
    ran = reload(feeds)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(
        r"configuration [0-9a-f]{7}: 2 connections, 1 router, 1 handler\n", ran.stdout
    )
    assert client.get("/status")["engine"]["configuration"] != before
    address = client.get("/connections")[0]["address"]
    assert send(int(address.rpartition(":")[2]), [message("M2")]) == [b"AA"]
    assert b"|W3" in partner.wait_for(2)[1]
    after = client.get("/status")["engine"]["configuration"]
    routed_by = [client.get(f"/messages/{it}/journey")["configuration"] for it in (1, 2)]
    assert routed_by == [before, after]
    assert server.end() == 0


def test_a_reload_that_is_wrong_changes_nothing(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(feeds)))
    port = server.port()
    text = (feeds / "adt.py").read_text()
    (feeds / "adt.py").write_text(text.replace('router="adt"', 'router="atd"'))
    ran = reload(feeds)
    assert ran.returncode == 2
    assert 'unknown router "atd"; did you mean "adt"?' in ran.stderr
    (feeds / "adt.py").write_text("this is no Python")
    assert reload(feeds).returncode == 2
    assert send(port, [message("M1")]) == [b"AA"]
    assert b"|W2" in partner.wait_for(1)[0]
    assert server.end() == 0


def test_an_outbound_that_holds_something_vanishes_only_with_a_word_about_it(
    feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    text = (feeds / "adt.py").read_text()
    old = text.replace('"OB_LAB"', '"OB_OLD"').replace(f"port={partner.port}", "port=1")
    (feeds / "adt.py").write_text(old)
    servers.append(server := Server(str(feeds)))
    port = server.port()
    assert send(port, [message("M1")]) == [b"AA"]
    client = Client(feeds / "data")
    until(lambda: client.get("/messages/1/why")["answers"], lambda it: it[0]["place"] == "OB_OLD")
    (feeds / "adt.py").write_text(text)
    ran = reload(feeds)
    assert ran.returncode in (1, 2), ran.stdout
    assert "OB_OLD" in ran.stderr
    for wrong, why in (
        (("--move", "OB_OLD=OB_NONE"), "OB_OLD cannot be moved: there is no outbound lane OB_NONE"),
        (("--move", "OB_OLD=OB_LAB", "--cancel", "OB_OLD"), "OB_OLD is either moved or cancelled"),
    ):
        ran = reload(feeds, *wrong)
        assert (ran.returncode != 0, ran.stdout) == (True, "")
        assert why in ran.stderr
    (feeds / "adt.py").write_text(old)
    ran = reload(feeds, "--cancel", "OB_OLD")
    assert ran.returncode == 1, ran.stdout
    assert "OB_OLD is still configured" in ran.stderr
    (feeds / "adt.py").write_text(text)
    ran = reload(feeds, "--move", "OB_OLD=OB_LAB")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("1 delivery moved\n")
    assert b"M1" in partner.wait_for(1)[0]
    assert server.end() == 0

"""A whole engine whose functions do harm: each harms its message alone, and says nothing of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from bad_functions import FEED, HARMFUL, HARMLESS
from fastmllp_engine.cli.client import Client
from partners import Partner, message, send
from running_engines import until
from serving import Server

SECRET = "SECRETNAME"
FINAL = ("PROCESSED", "ERROR", "FILTERED", "UNROUTED")


@pytest.fixture
def bad_feeds(tmp_path: Path, partner: Partner) -> Path:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "feed.py").write_text(FEED.format(port=partner.port))
    # Long enough for what only starts a process, and short enough for what hangs.
    (feeds / "engine.toml").write_text("[workers]\nhandler_timeout_seconds = 5\n")
    return feeds


def command(feeds: Path, *arguments: str) -> str:
    """Everything that a command prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", *arguments, "--data", feeds / "data"],
        capture_output=True, check=False, timeout=50, text=True,
    )  # fmt: skip
    return ran.stdout + ran.stderr


@pytest.mark.timeout(180)
def test_functions_that_do_harm_harm_their_message_alone_and_tell_nothing_of_it(
    bad_feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(bad_feeds), "--log-level", "debug"))
    port = server.port()
    client = Client(bad_feeds / "data")
    # A worker that has lost its memory starts no thread: what is harmless comes first.
    deeds = [*HARMLESS, *HARMFUL]
    ids = [name for deed in deeds for name in (f"{deed}-1", f"good-{deed}")]
    assert send(port, [message(it) for it in ids]) == [b"AA"] * len(ids)
    found = {}
    for number, control_id in enumerate(ids, 1):
        said = until(
            lambda number=number: client.get(f"/messages/{number}")["disposition"],  # type: ignore[misc]
            lambda it: it in FINAL,
            90.0,
        )
        found[control_id] = said
    wanted = {it: "ERROR" if it.partition("-")[0] in HARMFUL else "PROCESSED" for it in ids}
    assert found == wanted
    # In the order in which they were received, each once.
    received = [it.split(b"|")[9].decode() for it in partner.wait_for(1)]
    assert received == [it for it in ids if wanted[it] == "PROCESSED"]
    assert client.post("/verify")["findings"] == []
    numbers = [str(number) for number in range(1, len(ids) + 1)]
    said = [command(bad_feeds, word, number) for number in numbers for word in ("show", "why")]
    said += [command(bad_feeds, word) for word in ("status", "messages", "dead", "verify")]
    assert any("ExceptionGroup" in it for it in said)
    assert server.end() == 0
    told = [it for it in [*said, *server.errors] if SECRET in it]
    assert told == []


def test_a_worker_that_starts_again_runs_what_was_checked_and_not_what_is_being_edited(
    bad_feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(bad_feeds)))
    port = server.port()
    client = Client(bad_feeds / "data")
    assert send(port, [message("good-1")]) == [b"AA"]
    partner.wait_for(1)
    (bad_feeds / "feed.py").write_text("this is half of an ed")
    (bad_feeds / "engine.toml").write_text("[workers\n")
    assert send(port, [message("kill-1"), message("good-2")]) == [b"AA", b"AA"]
    until(lambda: client.get("/messages/2")["disposition"], lambda it: it == "ERROR", 50.0)
    assert partner.wait_for(2)[1].split(b"|")[9] == b"good-2"
    assert server.end() == 0


def test_bytes_that_are_no_text_pass_through_functions_as_they_came(
    bad_feeds: Path, partner: Partner, servers: list[Server]
) -> None:
    servers.append(server := Server(str(bad_feeds)))
    odd = message("good-1").replace(b"SECRETNAME", b"SECRETNAME\xff\xfe\xc3(\x80")
    assert send(server.port(), [odd, odd.replace(b"good-1", b"raise-\xff")]) == [b"AA", b"AA"]
    assert partner.wait_for(1) == [odd]
    client = Client(bad_feeds / "data")
    until(lambda: client.get("/messages/2")["disposition"], lambda it: it == "ERROR")
    for word in ("show", "why"):
        assert SECRET not in command(bad_feeds, word, "2")
    assert "raise-" in command(bad_feeds, "messages")
    assert server.end() == 0
    assert not any(SECRET in it or "Traceback" in it for it in server.errors)

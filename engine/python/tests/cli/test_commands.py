"""The commands, against a real engine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastmllp_engine.api.serving import Api
from fastmllp_engine.cli import main
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound
from fastmllp_engine.graph.checked import changed
from partners import Partner, message
from running_engines import Feed, sends_to, until
from shells import Shell


def test_status_shows_lanes_and_why_they_do_not_go_on(shell: Shell, partner: Partner) -> None:
    partner.close()
    shell.feed.send(message("M1"))
    until(lambda: shell.feed.engine.status().lanes[2].lost)
    assert shell("status") == 0
    first, second, *lanes = shell.out.splitlines()
    assert first.startswith("feeds (test)  configuration 9c41e02  running since 2")
    assert second == "store writing"
    assert [line.split()[:3] for line in lanes[1:3]] == [
        ["IB_ADT", "inbound", "0"],
        ["to_lab", "handler", "0"],
    ]
    assert re.match(r"OB_LAB  outbound  1        not connected: \S", lanes[3])
    assert shell.json("status")["lanes"][2]["depth"] == 1


def test_metrics_are_shown_as_prometheus_reads_them(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    assert shell("metrics") == 0
    assert 'fastmllp_received_total{connection="IB_ADT"} 1' in shell.out.splitlines()
    assert shell.json("metrics").endswith("# EOF\n")


def test_messages_are_listed_and_found(shell: Shell) -> None:
    shell.feed.send(message("M1"), message("M2", patient="7"))
    assert shell("messages", "--field", "PID-3.1=7") == 0
    head, found = shell.out.splitlines()
    assert head.split() == [
        "MESSAGE",
        "RECEIVED",
        "TYPE",
        "CONTROL",
        "ID",
        "INBOUND",
        "BYTES",
        "DISPOSITION",
    ]
    assert found.split()[0] == "2"
    assert found.split()[3:6] == ["ADT^A08", "M2", "IB_ADT"]
    assert shell("messages", "--limit", "1") == 0
    assert shell.out.splitlines()[-1] == "there may be more: --before 2"
    assert shell("messages", "--control-id", "M9") == 1
    assert shell("messages", "--field", "PID-3.1") == 2
    assert shell.json("messages", "--control-id", "M9") == {"messages": [], "next": None}


def test_why_says_where_a_message_stands(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    shell.disposition(1, "PROCESSED")
    assert shell("why", "1") == 0
    assert re.search(r"^OB_LAB: delivered 2\S+ \S+Z", shell.out, re.M)
    assert shell.json("why", "1")["answers"][0]["reason"] == "delivered"
    assert shell("why", "9") == 1


def test_dead_and_replay(shell: Shell, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell("dead") == 0
    assert shell.out == "nothing is dead\n"
    partner.code, partner.text = "AR", "unknown patient"
    shell.feed.send(*(message(f"M{number}") for number in range(4)))
    shell.disposition(4, "ERROR")
    assert shell("dead") == 0
    (line,) = shell.out.splitlines()[1:]
    assert re.match(
        r"OB_LAB    refused for good, AR .*unknown patient.*  4     2.*Z  M0 M1 M2$", line
    )
    partner.code = "AA"

    monkeypatch.setattr("sys.stdin", _Answers("n\n"))
    assert shell("replay", "--outbound", "OB_LAB", "--reason", "unknown patient") == 1
    assert "replay 4? [y/N] nothing was done" in shell.out
    monkeypatch.setattr("sys.stdin", _Answers("y\n"))
    assert shell("replay", "--outbound", "OB_LAB", "--reason", "unknown patient") == 0
    assert shell.out.splitlines()[0] == (
        "4 deliveries, in the order they were received, appended at the tail of OB_LAB."
    )
    assert shell.out.endswith("4 of 4 done\n")
    received = [it.split(b"|")[9] for it in partner.wait_for(8)[4:]]
    assert received == [b"M0", b"M1", b"M2", b"M3"]
    shell.feed.idle()
    assert shell("dead") == 0
    assert shell("replay", "--outbound", "OB_LAB", "--yes") == 1


class _Answers:
    def __init__(self, answer: str) -> None:
        self._answer = answer

    def readline(self) -> str:
        return self._answer

    def isatty(self) -> bool:
        return True


def test_the_same_key_appends_once(shell: Shell, partner: Partner) -> None:
    shell.feed.send(message("M1"))
    shell.disposition(1, "PROCESSED")
    again = ("replay", "1", "--yes", "--key", "k")
    for _ in range(3):
        assert shell(*again) == 0
        assert shell.out.endswith("1 of 1 done\n")
    shell.feed.send(message("M2"))
    received = [it.split(b"|")[9] for it in partner.wait_for(3)]
    assert received == [b"M1", b"M1", b"M2"]


def test_a_job_that_was_done_is_reported_again(shell: Shell, partner: Partner) -> None:
    partner.code = "AR"
    shell.feed.send(message("M1"))
    shell.disposition(1, "ERROR")
    partner.code = "AA"
    again = ("replay", "--outbound", "OB_LAB", "--yes", "--key", "k")
    assert shell(*again) == 0
    partner.wait_for(2)
    shell.feed.idle()
    assert shell(*again) == 0
    assert shell.out.endswith("1 of 1 done\n")
    assert len(partner.received) == 2


def test_newer_messages_are_said_before_a_replay(shell: Shell, partner: Partner) -> None:
    partner.code = "AR"
    shell.feed.send(message("M1"))
    shell.disposition(1, "ERROR")
    partner.code = "AA"
    shell.feed.send(message("M2"))
    shell.disposition(2, "PROCESSED")
    assert shell("replay", "--dead", "--yes") == 0
    assert "1 of them come after newer messages that are already delivered." in shell.out


def test_a_list_says_which_come_after_newer_messages_of_the_same_patient(
    feed: Feed, partner: Partner, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.outbounds[0] = changed(feed.outbounds[0], key="PID-3.1", ordering="key")
    api = Api(feed.start())
    shell = Shell(feed, capsys)
    partner.code = "AR"
    patients = ["A", "B", "C", "A", "D"]
    feed.send(*(message(f"M{at}", patient=it) for at, it in enumerate(patients, 1)))
    shell.disposition(5, "ERROR")
    partner.code = "AA"
    feed.send(message("M6", patient="A"), message("M7", patient="D"))
    shell.disposition(7, "PROCESSED")
    assert shell("replay", "--dead", "--list") == 0
    marked = [it.split()[0] for it in shell.out.splitlines() if "newer ones of its" in it]
    assert marked == ["1", "4", "5"]
    assert shell("replay", "--dead", "--list", "--json") == 0
    listed = json.loads(shell.out)
    assert [it["message"] for it in listed if it["after_newer"]] == [1, 4, 5]
    assert len(partner.received) == 7
    api.close()


def test_replay_wants_to_know_which(shell: Shell) -> None:
    assert shell("replay") == 2


def test_connections_are_stopped_and_started(shell: Shell, partner: Partner) -> None:
    assert shell("stop", "OB_LAB", "--because", "maintenance") == 0
    assert shell.out == "OB_LAB stopped\n"
    shell.feed.send(message("M1"))
    assert shell("status") == 0
    assert re.search(r"OB_LAB  outbound  \d +stopped by \S+ since 2.*Z: maintenance", shell.out)
    assert shell("start", "OB_LAB") == 0
    partner.wait_for(1)
    assert shell("pause", "OB_LAP") == 1
    assert shell.error == "fastmllp-engine: there is no inbound, outbound or handler OB_LAP\n"
    assert shell("retry", "OB_LAB") in (0, 1)


def test_a_lane_that_is_gone_is_cancelled(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed.outbounds.append(Outbound("OB_OLD", MLLP(host="127.0.0.1", port=1)))
    feed.handlers["to_lab"] = sends_to("OB_OLD")
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).answers, lambda it: it[0].place == "OB_OLD")
    del feed.outbounds[1]
    feed.handlers["to_lab"] = sends_to("OB_LAB")
    api = Api(feed.start())
    shell = Shell(feed, capsys)
    shell("status")
    assert "no longer configured" in shell.out
    assert shell("lane", "cancel", "OB_OLD", "--because", "gone") == 0
    assert shell.out == "1 delivery of OB_OLD cancelled\n"
    shell.disposition(1, "ERROR")
    api.close()


def test_verify_of_a_running_engine_and_of_a_stopped_one(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(feed.start())
    shell = Shell(feed, capsys)
    feed.send(message("M1"))
    shell.disposition(1, "PROCESSED")
    for _ in range(2):
        assert shell("verify") == 0
        assert re.search(r"^1 message received\n  PROCESSED +1\n", shell.out)
        assert shell.out.endswith("0 findings\n")
        feed.close()
        api.close()


def test_retention(shell: Shell) -> None:
    assert shell("retention") == 0
    assert shell.json("retention", "confirm") == {"doubt": None}


def test_without_an_engine_a_command_says_so(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(feed, capsys)
    for command in (("status",), ("why", "1"), ("stop", "OB_LAB"), ("dead",)):
        assert shell(*command) == 3
        assert shell.error.startswith("fastmllp-engine: no engine runs with the data folder ")


def test_the_only_engine_below_a_folder_is_meant(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    feeds = tmp_path / "work" / "feeds"
    feeds.mkdir(parents=True)
    (feeds / "data").symlink_to(shell.feed.data)
    monkeypatch.chdir(tmp_path / "work")
    assert main(["status"]) == 0
    monkeypatch.chdir(feeds)
    assert main(["status"]) == 0
    (feeds.parent / "other").mkdir()
    (feeds.parent / "other" / "data").symlink_to(shell.feed.data)
    monkeypatch.chdir(feeds.parent)
    assert main(["status"]) == 2
    monkeypatch.setenv("FASTMLLP_ENGINE_DATA", str(shell.feed.data))
    assert main(["status"]) == 0


HOSTILE = "\x1b]0;owned\x07\u202eM\x9b2J"


def test_nothing_from_outside_reaches_a_terminal_as_it_is(shell: Shell, partner: Partner) -> None:
    partner.code, partner.text = "AR", "\x1b[2J\u202e"
    shell.feed.send(message(HOSTILE))
    shell.disposition(1, "ERROR")
    for command in (("messages",), ("show", "1"), ("why", "1"), ("dead",), ("dead", "--list"),
                    ("show", "1", "--show-phi")):  # fmt: skip
        assert shell(*command) == 0
        assert not set(shell.out) & {"\x1b", "\x07", "\u202e", "\x9b"}, command
        shell(*command, "--json")
        assert not set(shell.out) & {"\x1b", "\x07", "\u202e", "\x9b"}, command


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "tr_TR.UTF-8"}, {"LC_ALL": "C", "PYTHONIOENCODING": "iso-8859-9"}]
)
def test_any_locale_will_do(shell: Shell, locale: dict[str, str]) -> None:
    shell.feed.send(message("Mł1"))
    environment = {**os.environ, **locale, "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", "messages", "--disposition", "processed",
         "--connection", "IB_ADT", "--data", str(shell.feed.data)],
        env=environment, capture_output=True, check=False, timeout=50,
    )  # fmt: skip
    shell.disposition(1, "PROCESSED")
    assert ran.returncode in (0, 1), ran.stderr
    assert ran.stderr == b""


def test_a_reader_that_has_seen_enough_is_no_error(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    ran = subprocess.run(
        f"{sys.executable} -m fastmllp_engine messages --data {shell.feed.data} | true",
        shell=True, capture_output=True, check=False, timeout=50,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ((), ("replay",), ("lane", "move"), ("held",), ("show",)):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
        assert "usage: fastmllp-engine" in capsys.readouterr().out

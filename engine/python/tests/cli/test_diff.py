"""`diff`: stored messages through two configurations, and nothing is sent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine.cli import main
from fastmllp_engine.graph import read_folder
from partners import Partner, message, send
from serving import Server

LAST = 4


@pytest.fixture
def old(feeds: Path, partner: Partner, servers: list[Server]) -> str:
    """The configuration that runs, and has got four messages, as an argument of `diff`."""
    server = Server(str(feeds))
    servers.append(server)
    payloads = [
        message("M1"),
        message("M2", patient="2002"),
        message("M3", kind="ORU^R01"),
        message("M4", kind="ADT^A01"),
    ]
    assert send(server.port(), payloads) == [b"AA"] * LAST
    partner.wait_for(3)
    return f"{feeds}@{read_folder(feeds).hash[:7]}"


class Diff:
    """Runs `diff`, and keeps what it prints."""

    def __init__(self, old: str, feeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._old, self._feeds, self._capsys = old, feeds, capsys
        self.text = (feeds / "adt.py").read_text()
        self.out = self.error = ""

    def change(self, before: str, after: str, more: str = "") -> None:
        """Edit the new configuration."""
        assert before in self.text
        (self._feeds / "adt.py").write_text(self.text.replace(before, after) + more)

    def __call__(self, *more: str) -> int:
        self._capsys.readouterr()
        command = ["diff", self._old, str(self._feeds), "--against-last", "10", *more]
        status = main(command)
        self.out, self.error = self._capsys.readouterr()
        assert "--show-phi" in more or "SECRETNAME" not in self.out + self.error
        return status

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def diff(old: str, feeds: Path, capsys: pytest.CaptureFixture[str]) -> Diff:
    return Diff(old, feeds, capsys)


def test_the_same_configuration_sends_the_same(diff: Diff, partner: Partner) -> None:
    assert diff() == 0
    assert diff.lines == [
        "wiring: the same",
        "messages: 4 (IB_ADT 4)",
        "  same 4   differ 0   only old 0   only new 0   not comparable 0",
    ]
    assert len(partner.received) == 3


def test_the_fields_that_differ_are_named_and_counted(diff: Diff) -> None:
    diff.change('msg["PV1-3.1"] = "W2"', 'msg["PV1-3.1"] = "W3"')
    assert diff() == 1
    assert diff.lines[2:] == [
        "  same 1   differ 3   only old 0   only new 0   not comparable 0",
        "  OB_LAB  3 differ: PV1-3 in 3 (e.g. 4), nothing else",
        "exit status 1",
    ]
    assert diff("--show-phi") == 1
    assert "- PV1|1|I|W2" in diff.lines
    assert "+ PV1|1|I|W3" in diff.lines
    assert "SECRETNAME" not in diff.out


def test_what_only_one_of_them_sends_is_counted_apart(diff: Diff, partner: Partner) -> None:
    diff.change(
        'return ["to_lab"] if msg["MSH-9.1"] == "ADT" else []',
        'return ["to_lab", "to_reg"] if msg["MSH-9.2"] != "A01" else []',
        """

outbound("OB_REG", MLLP(host="127.0.0.1", port=1))


@handler("to_reg")
def to_reg(msg):
    return Send("OB_REG", msg)
""",
    )
    assert diff() == 1
    assert diff.lines[0] == "wiring: + outbound OB_REG; + handler to_reg; adt: + handler to_reg"
    assert diff.lines[2:] == [
        "  same 0   differ 0   only old 1   only new 3   not comparable 0",
        "  OB_LAB  1 only old (e.g. 4)",
        "  OB_LAB  1 new (e.g. 3)",
        "  OB_REG  3 new (e.g. 3)",
        "exit status 1",
    ]
    assert len(partner.received) == 3


def test_a_function_that_fails_hangs_or_ends_its_process_is_an_outcome(diff: Diff) -> None:
    diff.change(
        'msg["PV1-3.1"] = "W2"',
        """if msg["MSH-10"] == "M1":
        raise ValueError(msg["PID-5.1"])
    if msg["MSH-10"] == "M2":
        while True:
            pass
    if msg["MSH-10"] == "M4":
        os._exit(3)""",
        "\n\nimport os\n",
    )
    assert diff("--timeout", "1") == 1
    assert diff.lines[2:] == [
        "  same 1   differ 3   only old 0   only new 0   not comparable 0",
        "  OB_LAB  3 only old (e.g. 4)",
        "  1 fails in new only: ValueError at adt.py:16 in to_lab (e.g. 1)",
        "  1 fails in new only: a function has ended its process (exit status 3) (e.g. 4)",
        "  1 fails in new only: a function has not returned within 1 s (e.g. 2)",
        "exit status 1",
    ]


def test_the_same_failure_on_another_line_is_the_same(diff: Diff, feeds: Path) -> None:
    diff.change('msg["PV1-3.1"] = "W2"', "raise ValueError")
    diff._old = str(feeds.with_name("failing"))
    Path(diff._old).mkdir()
    (Path(diff._old) / "adt.py").write_text("\n\n" + (feeds / "adt.py").read_text())
    assert diff() == 0
    assert "  3 fail in both: ValueError at adt.py:15 in to_lab (e.g. 4)" in diff.lines


def test_what_one_does_to_its_process_does_not_reach_the_other(diff: Diff) -> None:
    diff.change(
        'msg["PV1-3.1"] = "W2"',
        'msg["PV1-3.1"] = "W2"; os.seen = print(msg["PID-5.1"])',
        "\n\nimport os\n",
    )
    assert diff() == 0
    assert not hasattr(os, "seen")


def test_what_cannot_be_compared_is_counted_with_its_reason(diff: Diff, feeds: Path) -> None:
    diff.change('"IB_ADT"', '"IB_NEW"')
    diff._old = str(feeds)
    assert diff() == 0
    assert diff.lines[2:] == [
        "  same 0   differ 0   only old 0   only new 0   not comparable 4",
        "  4 not comparable: neither configuration has its inbound (e.g. 4)",
    ]


def test_without_messages_only_the_wiring_is_compared(
    diff: Diff, feeds: Path, old: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", old, str(feeds)]) == 0
    diff.change("MLLP(port=0)", "MLLP(port=2600)")
    assert main(["diff", old, str(feeds)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "wiring: the same",
        "wiring: IB_ADT: port 0 -> 2600",
        "exit status 1",
    ]


def test_facts_are_the_same_in_json(diff: Diff) -> None:
    diff.change('msg["PV1-3.1"] = "W2"', 'msg["PV1-3.1"] = "W3"')
    assert diff("--json") == 1
    said: Any = json.loads(diff.out)
    assert said["messages"]["differ"] == 3
    assert said["messages"]["outbounds"]["OB_LAB"]["paths"] == {"PV1-3": {"count": 3, "example": 4}}


def test_what_is_not_there_or_refused_is_said(
    diff: Diff, feeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (f"{feeds}@0000000", f"{feeds}@9", "nothing"):
        assert main(["diff", wrong, str(feeds), "--against-last", "1"]) == 2
    assert "none begins like this" in capsys.readouterr().err
    diff.change('router="adt"', 'router="atd"')
    assert diff() == 2
    assert f'{feeds}/adt.py:4: inbound IB_ADT: unknown router "atd"' in diff.error


def test_a_configuration_that_ends_its_process_each_time_ends_the_comparison(
    diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmllp_engine.comparison.trial.MAX_LOST", 2)
    diff.change('msg["PV1-3.1"] = "W2"', "os._exit(3)", "\n\nimport os\n")
    assert diff() == 2
    assert "2 messages before have hung, or ended the process" in diff.error

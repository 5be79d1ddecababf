"""`dryrun`: nothing is sent, and no value is shown unasked."""

import json
from pathlib import Path

import pytest
from fastmllp_engine.cli import main
from partners import Partner, frame, message


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    file = tmp_path / "messages.hl7"
    file.write_bytes(frame(message("M1")) + frame(message("M2", kind="ORU^R01")))
    return file


def test_what_would_be_sent_is_shown_without_values(
    feeds: Path, messages: Path, partner: Partner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dryrun", str(feeds), str(messages)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1  control ID M1  PROCESSED",
        "routed        adt -> to_lab",
        "transformed   to_lab -> OB_LAB (1 field differs: PV1-3)",
        "2  control ID M2  UNROUTED",
        "routed        adt -> nothing",
    ]
    assert partner.received == []
    assert not (feeds / "data").exists()


def test_values_are_shown_if_they_are_asked_for(
    feeds: Path, messages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dryrun", str(feeds), str(messages), "--show-phi"]) == 0
    assert "PID|1||1001||SECRETNAME^JANE" in capsys.readouterr().out
    assert main(["dryrun", str(feeds), str(messages), "--json"]) == 0
    out = capsys.readouterr().out
    assert "SECRETNAME" not in out
    assert json.loads(out)[0]["sends"] == [
        {"handler": "to_lab", "to": "OB_LAB", "differs": ["PV1-3"]}
    ]


def test_a_function_that_fails_says_where_and_not_with_what(
    feeds: Path, messages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (feeds / "adt.py").read_text()
    broken = text.replace('msg["PV1-3.1"] = "W2"', 'raise ValueError(msg["PID-5.1"])')
    (feeds / "adt.py").write_text(broken)
    line = broken[: broken.index("raise ValueError")].count("\n") + 1
    assert main(["dryrun", str(feeds), str(messages)]) == 1
    out, error = capsys.readouterr()
    assert f"failed        ValueError at adt.py:{line} in to_lab" in out.splitlines()
    assert "SECRETNAME" not in out + error


def test_a_function_that_is_not_pure_is_found_when_each_message_runs_twice(
    feeds: Path, messages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (feeds / "adt.py").read_text()
    impure = text.replace('msg["PV1-3.1"] = "W2"', 'seen.append(1); msg["PV1-19"] = str(len(seen))')
    (feeds / "adt.py").write_text(f"seen = []\n{impure}")
    assert main(["dryrun", str(feeds), str(messages)]) == 0
    assert main(["dryrun", str(feeds), str(messages), "--twice"]) == 1
    out = capsys.readouterr().out
    assert "failed        OB_LAB: a second run sends something else: PV1-19 (handler to_lab)" in out
    (feeds / "adt.py").write_text(text)
    assert main(["dryrun", str(feeds), str(messages), "--twice"]) == 0


def test_a_file_without_messages_is_said(
    feeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir")
    assert main(["dryrun", str(feeds), str(file)]) == 2
    assert main(["dryrun", str(feeds), str(tmp_path / "nothing")]) == 2
    assert main(["dryrun", str(feeds), str(file), "--inbound", "IB_ADD"]) == 2
    assert "give one of: IB_ADT" in capsys.readouterr().err

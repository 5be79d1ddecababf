"""``show --offline``: a message, and its receipt, from the files alone."""

import hashlib
import json
from pathlib import Path

import pytest
from fastmllp_engine.cli import main
from partners import Partner, message
from running_engines import Feed


def show(*arguments: str) -> int:
    return main(["show", "--offline", *arguments])


def test_a_stopped_engine_and_a_backup_tell_the_receipt(
    feed: Feed, partner: Partner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.start()
    feed.send(message("M1"))
    feed.idle()
    data, backup = str(feed.data), tmp_path / "backup"
    feed.engine.back_up(backup).finish()
    # In use.
    assert show("1", "--data", data) == 4
    feed.close()
    capsys.readouterr()
    for place in (data, str(backup)):
        assert show("1", "--data", place) == 0
        lines = capsys.readouterr().out.splitlines()
        receipt = lines[lines.index("receipt") + 1 :]
        assert receipt[0] == "position      message 1, row 1 of IB_ADT"
        assert receipt[1] == f"SHA-256       {hashlib.sha256(message('M1')).hexdigest()}"
        assert receipt[2].startswith("acknowledged  MSH|")
        assert receipt[3].startswith("              MSA|AA|M1")
        assert receipt[4].startswith("delivered     OB_LAB  20")
        assert receipt[4].endswith("Z  AA L1")
        assert "PID|" not in "\n".join(lines)
        assert show("M1", "--show-phi", "--data", place) == 0
        assert "PID|" in capsys.readouterr().out
        assert show("M1", "--json", "--data", place) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["message"]["disposition"] == "PROCESSED"
        (delivery,) = shown["receipt"]["deliveries"]
        assert (delivery["outbound"], delivery["how"]) == ("OB_LAB", "delivered")


def test_all_messages_with_a_control_id_are_listed(
    feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.start()
    feed.send(message("M1"), message("M1", patient="7"), message("M2"))
    feed.close()
    data = str(feed.data)
    capsys.readouterr()
    assert show("M1", "--data", data) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "2 messages have this control ID; show one by its number:"
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    assert show("M9", "--data", data) == 1
    assert show("99", "--data", data) == 1
    assert "there is no message 99" in capsys.readouterr().err
    assert show("1", "--data", str(tmp_path / "none")) == 4

"""Backups by command: of an engine that runs, of one that was stopped, and what is made of them."""

import shutil
from pathlib import Path

from fastmllp_engine.cli import main
from partners import Partner, message
from running_engines import Feed
from shells import Shell


def check(backup: Path) -> int:
    return main(["restore-check", str(backup)])


def test_a_running_engine_is_backed_up_and_an_engine_starts_from_it(
    shell: Shell, partner: Partner, tmp_path: Path
) -> None:
    shell.feed.send(message("M1"), message("M2"))
    shell.feed.idle()
    backup = tmp_path / "backup"
    made = shell.json("backup", str(backup))
    assert made["at"] == str(backup)
    assert made["bytes"] == (backup / "store.db").stat().st_size
    state = shell.feed.running and shell.feed.running.backups
    assert state and state.last and state.last.sha256 == made["sha256"]
    shell.feed.send(message("M3"))
    shell.feed.close()
    assert check(backup) == 0
    # A backup that was copied is a data folder.
    shutil.rmtree(shell.feed.data)
    shutil.copytree(backup, shell.feed.data)
    shell.feed.start()
    assert shell.feed.send(message("M4")) == [b"AA"]
    found = shell.feed.engine.search().messages
    assert [one.control_id for one in found] == ["M4", "M2", "M1"]


def test_a_name_that_is_taken_is_wrong_usage(shell: Shell, tmp_path: Path) -> None:
    assert shell("backup", str(tmp_path)) == 2
    assert "it is there already" in shell.error
    assert shell.feed.running and shell.feed.running.backups.failure in shell.error
    assert shell("backup", str(tmp_path / "no" / "backup")) == 2


def test_a_stopped_engine_is_backed_up(feed: Feed, tmp_path: Path) -> None:
    feed.start()
    feed.send(message("M1"))
    backup, arguments = tmp_path / "backup", ["backup", "--data", str(feed.data)]
    # It runs and does not answer at its door: its store is in use.
    assert main([*arguments, str(backup)]) == 4
    feed.close()
    assert main([*arguments, str(backup)]) == 0
    assert check(backup) == 0


def test_what_is_no_backup_or_was_changed_is_told(shell: Shell, tmp_path: Path) -> None:
    assert check(tmp_path) == 2
    backup = tmp_path / "backup"
    assert shell("backup", str(backup)) == 0
    about = backup / "backup.txt"
    before = about.read_text()
    about.write_text(before.replace("sha256 ", "sha256 0")[:-2] + "\n")
    assert check(backup) == 1
    about.write_text(before)
    store = backup / "store.db"
    store.write_bytes(store.read_bytes()[:60] + b"\0\0\0\x63" + store.read_bytes()[64:])
    assert check(backup) == 4

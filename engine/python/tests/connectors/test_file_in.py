"""`File` as an inbound: what is taken, and when."""

import os
from typing import Any

import pytest
from doubles import Killed
from fastmllp_engine.connectors import file_moves
from inbox import Inbox
from partners import message


def test_files_are_submitted_in_order_and_moved(inbox: Inbox) -> None:
    inbox.put("b.hl7", b"2")
    inbox.put("a.hl7", b"1")
    inbox.put("c.txt", b"3")
    inbox.look()
    assert inbox.intake.stored == [b"1", b"2"]
    assert inbox.names() == ["c.txt"]
    assert inbox.processed() == ["a.hl7", "b.hl7"]
    inbox.look()
    assert len(inbox.intake.stored) == 2


def test_what_was_moved_is_new_when_it_comes_again(inbox: Inbox) -> None:
    for _ in range(2):
        inbox.put("a.hl7", b"1")
        inbox.look()
    assert inbox.intake.stored == [b"1", b"1"]
    assert inbox.processed() == ["a.hl7", "a.hl7.1"]


def test_the_oldest_first_where_that_is_wanted(inbox: Inbox) -> None:
    inbox.settings["sort"] = "time"
    for age, name in enumerate(("a.hl7", "b.hl7", "c.hl7")):
        os.utime(inbox.put(name, name.encode()), (1000 - age, 1000 - age))
    inbox.look()
    assert inbox.intake.stored == [b"c.hl7", b"b.hl7", b"a.hl7"]


def test_a_source_stays_until_its_message_is_stored(inbox: Inbox) -> None:
    inbox.put("a.hl7")
    inbox.put("b.hl7")
    inbox.intake.refuses = "the disk is full"
    inbox.look(3)
    assert inbox.names() == ["a.hl7", "b.hl7"]
    assert inbox.intake.said == ["not stored: the disk is full"]
    inbox.intake.refuses = None
    inbox.look()
    assert len(inbox.intake.stored) == 2
    assert inbox.names() == []


def test_a_crash_before_the_commit_loses_nothing(inbox: Inbox) -> None:
    inbox.put("a.hl7")
    inbox.intake.dies = "before"
    with pytest.raises(Killed):
        inbox.look()
    assert inbox.names() == ["a.hl7"]
    inbox.intake.dies = None
    inbox.look()
    assert inbox.intake.stored == [b"MSH|"]


def test_a_crash_right_after_the_commit_may_double_and_never_loses(inbox: Inbox) -> None:
    inbox.put("a.hl7")
    inbox.intake.dies = "after"
    with pytest.raises(Killed):
        inbox.look()
    inbox.intake.dies = None
    inbox.look()
    # The engine recognises the second one as a duplicate.
    assert inbox.intake.stored == [b"MSH|", b"MSH|"]
    assert inbox.processed() == ["a.hl7"]


def test_a_crash_before_the_move_takes_nothing_twice(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put("a.hl7")

    def killed(*_: object) -> bytes:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(file_moves, "move", killed)
        with pytest.raises(Killed):
            inbox.look()
    assert inbox.names() == ["a.hl7"]
    os.utime(inbox.root / "a.hl7", (5, 5))
    inbox.look()
    assert inbox.intake.stored == [b"MSH|"]
    assert inbox.processed() == ["a.hl7"]


def test_what_is_left_is_taken_once_and_again_when_it_changes(inbox: Inbox) -> None:
    inbox.settings["after_read"] = "leave"
    inbox.put("a.hl7", b"1")
    inbox.look(3)
    inbox.look(3)
    assert inbox.intake.stored == [b"1"]
    os.utime(inbox.root / "a.hl7", (5, 5))
    inbox.look()
    assert inbox.intake.stored == [b"1"]
    inbox.put("a.hl7", b"2")
    inbox.look()
    assert inbox.intake.stored == [b"1", b"2"]
    assert inbox.names() == ["a.hl7"]


def test_a_share_that_was_away_brings_nothing_twice(inbox: Inbox) -> None:
    inbox.settings["after_read"] = "leave"
    inbox.put("a.hl7")
    inbox.look()
    away = inbox.root.with_name("away")
    inbox.root.rename(away)
    inbox.look(2)
    assert inbox.intake.said == ["the folder cannot be read: No such file or directory"]
    inbox.root.mkdir()
    inbox.look()
    inbox.root.rmdir()
    away.rename(inbox.root)
    inbox.look()
    assert inbox.intake.stored == [b"MSH|"]


def test_deleted_where_that_is_wanted(inbox: Inbox) -> None:
    inbox.settings["after_read"] = "delete"
    inbox.put("a.hl7")
    inbox.look()
    assert inbox.intake.stored == [b"MSH|"]
    assert list(inbox.root.iterdir()) == []


def test_a_file_is_read_once_it_stands_still(inbox: Inbox) -> None:
    inbox.settings["min_age_seconds"] = 2.0
    inbox.put("a.hl7", b"1")
    stored: list[int] = []

    def between(_: float) -> None:
        stored.append(len(inbox.intake.stored))
        if len(stored) == 2:
            inbox.put("a.hl7", b"12")

    inbox.look(6, between)
    assert stored == [0, 0, 0, 0, 1, 1]
    assert inbox.intake.stored == [b"12"]


def test_a_marker_says_that_a_file_is_complete(inbox: Inbox) -> None:
    inbox.settings |= {"ready_suffix": ".ok", "pattern": "*", "min_age_seconds": 60.0}
    inbox.put("a.hl7", b"1")
    inbox.look()
    assert inbox.intake.stored == []
    inbox.put("a.hl7.ok", b"")
    inbox.look()
    assert inbox.intake.stored == [b"1"]
    assert inbox.names() == []
    # The next of this name waits for a marker of its own.
    inbox.put("a.hl7", b"2")
    inbox.look()
    assert inbox.intake.stored == [b"1"]


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.put("a.hl7", b"1")
    real = os.lstat
    grown = False

    def lstat(at: Any) -> os.stat_result:
        nonlocal grown
        if at == path and not grown:
            grown = True
            with open(path, "ab") as file:
                file.write(b"2")
        return real(at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lstat)
        inbox.look()
    assert grown
    assert inbox.intake.stored == []
    inbox.look()
    assert inbox.intake.stored == [b"12"]


def test_a_stop_comes_between_two_files(inbox: Inbox) -> None:
    for name in ("a.hl7", "b.hl7", "c.hl7"):
        inbox.put(name, name.encode())
    wait = inbox.intake.wait
    inbox.intake.wait = lambda seconds: not inbox.intake.stored and wait(seconds)  # type: ignore[method-assign]
    inbox.look()
    assert inbox.intake.stored == [b"a.hl7"]
    assert inbox.names() == ["b.hl7", "c.hl7"]


def test_a_long_file_is_whole(inbox: Inbox) -> None:
    content = message("M1") + b"Z" * (8 << 20)
    inbox.put("a.hl7", content)
    inbox.look()
    assert inbox.intake.stored == [content]

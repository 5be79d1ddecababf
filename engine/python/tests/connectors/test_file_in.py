"""`File` as an inbound: what is taken, when, and what becomes of it."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles import Clock, Intake, Killed
from fastmllp_engine.connectors import Connection, File, file_moves
from fastmllp_engine.connectors.file_in import LOOKS, FileReceiver
from partners import message


class Inbox:
    """A folder, and the inbound that reads it: one look for each step."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "in"
        self.data = folder / "data"
        self.root.mkdir()
        self.data.mkdir()
        self.clock = Clock()
        self.intake = Intake(self.clock, lambda _: False)
        self.settings: dict[str, Any] = {"min_age_seconds": 0.0}

    def put(self, name: str | bytes, content: bytes = b"MSH|") -> bytes:
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(content)
        return path

    def look(self, looks: int = 1, between: Callable[[float], object] = lambda _: None) -> None:
        """Run the inbound from its start for some looks."""
        left = looks

        def on_wait(seconds: float) -> bool:
            nonlocal left
            left -= 1
            between(seconds)
            return left > 0

        self.intake._on_wait = on_wait
        spec = File(directory=str(self.root), **self.settings)
        connection = Connection("IB", self.data, "1")
        FileReceiver(spec, connection, self.clock).run(self.intake)

    def names(self, folder: str = ".") -> list[str]:
        inside = self.root / folder
        return sorted(it.name for it in inside.iterdir() if not it.is_dir())

    def processed(self) -> list[str]:
        return self.names(".processed")


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


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


def test_a_file_that_is_replaced_once_it_is_stored_is_not_moved(inbox: Inbox) -> None:
    inbox.put("a.hl7", b"1")
    submit = inbox.intake.submit

    def replaced(payload: bytes) -> Any:
        receipt = submit(payload)
        if len(inbox.intake.stored) == 1:
            inbox.put("new", b"2")
            (inbox.root / "new").rename(inbox.root / "a.hl7")
        return receipt

    inbox.intake.submit = replaced  # type: ignore[method-assign]
    inbox.look(2)
    assert inbox.intake.stored == [b"1", b"2"]
    assert inbox.processed() == ["a.hl7"]


def test_a_file_that_is_replaced_during_the_move_is_put_back(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.put("a.hl7", b"1")
    real = os.rename

    def rename(source: Any, target: Any) -> None:
        if source == path:
            os.unlink(path)
            inbox.put("a.hl7", b"new")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        inbox.look()
    assert inbox.processed() == []
    inbox.look()
    assert inbox.intake.stored == [b"1", b"new"]


@pytest.mark.parametrize(("content", "why"), [(b"12345", "longer than 4 bytes"), (b"", "empty")])
def test_what_can_be_no_message_is_set_aside(inbox: Inbox, content: bytes, why: str) -> None:
    inbox.settings["max_file_bytes"] = 4
    inbox.put("a.hl7", content)
    inbox.put("b.hl7", b"1234")
    inbox.look()
    assert inbox.intake.stored == [b"1234"]
    assert inbox.names(".error") == ["a.hl7", "a.hl7.reason"]
    assert (inbox.root / ".error" / "a.hl7.reason").read_text() == why + "\n"
    assert inbox.intake.said == [f'"a.hl7" not read: {why}; it is in .error']


def test_what_cannot_be_read_for_long_is_set_aside(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.put("a.hl7")
    inbox.put("b.hl7", b"1")
    real = os.open

    def denied(at: Any, *rest: Any) -> int:
        if at == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(at, *rest)

    monkeypatch.setattr(os, "open", denied)
    inbox.look(LOOKS - 1)
    assert inbox.names() == ["a.hl7"]
    assert inbox.intake.stored == [b"1"]
    inbox.look(LOOKS)
    assert inbox.names(".error") == ["a.hl7", "a.hl7.reason"]


HOSTILE = [
    b"new\nline.hl7",
    b"\xff\xfe.hl7",
    b"-rf.hl7",
    b"..hl7.hl7",
    b" .hl7",
    b"A.hl7",
    b"a.hl7",
    b"%s%n{MSH-10}.hl7",
    b"x" * 251 + b".hl7",
    "\u202e\u0131\u0130.hl7".encode(),
]


def test_names_are_only_names(inbox: Inbox) -> None:
    for name in HOSTILE:
        inbox.put(name, name)
    for _ in range(2):
        inbox.settings["pattern"] = ".*" if _ else "*.hl7"
        inbox.look()
    assert sorted(inbox.intake.stored) == sorted(HOSTILE)
    there = os.listdir(os.fsencode(inbox.root / ".processed"))
    assert sorted(there) == sorted(HOSTILE)
    # The same names again: nothing that was kept is overwritten.
    for name in HOSTILE:
        inbox.put(name, b"again")
        inbox.settings["pattern"] = "*"
    inbox.put(b"..hl7.hl7", b"again")
    inbox.look()
    assert len(os.listdir(os.fsencode(inbox.root / ".processed"))) == 2 * len(HOSTILE) - 1


def test_a_note_has_no_line_of_its_own_from_a_name(inbox: Inbox) -> None:
    inbox.put(b"a\nb\x1b[31m\xff" + b"y" * 200 + b".hl7", b"")
    inbox.look()
    (note,) = inbox.intake.said
    assert note.isprintable()
    assert note.startswith('"a\\nb\\x1b[31m\\xff' + "y" * 50)
    assert len(note) < 250


def test_links_pipes_sockets_and_folders_are_not_read(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (inbox.root / "link.hl7").symlink_to(secret)
    (inbox.root / "folder.hl7").mkdir()
    os.mkfifo(inbox.root / "pipe.hl7")
    with socket.socket(socket.AF_UNIX) as made:
        folder = os.getcwd()
        os.chdir(inbox.root)
        made.bind("s.hl7")
        os.chdir(folder)
        inbox.put("z.hl7", b"1")
        inbox.look(3)
    assert inbox.intake.stored == [b"1"]
    assert inbox.intake.said == [
        f'"{name}.hl7": not read: it is no file, or a link to one' for name in ("link", "pipe", "s")
    ]


def test_nothing_is_moved_through_a_link(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (inbox.root / ".processed").symlink_to(tmp_path / "elsewhere")
    inbox.put("a.hl7", b"1")
    inbox.look(3)
    assert inbox.intake.stored == [b"1"]
    assert inbox.intake.said == ['"a.hl7": stored, but it cannot be moved: Not a directory']
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (inbox.root / ".processed").unlink()
    inbox.look()
    assert inbox.processed() == ["a.hl7"]
    assert inbox.intake.stored == [b"1"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_move_that_fails_is_tried_again(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    inbox.put("a.hl7", b"1")

    def fails(source: Any, target: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fails)
        inbox.look(3)
    assert inbox.names() == ["a.hl7"]
    assert inbox.intake.said == [f'"a.hl7": stored, but it cannot be moved: {os.strerror(number)}']
    inbox.look()
    assert inbox.processed() == ["a.hl7"]
    assert inbox.intake.stored == [b"1"]


@pytest.mark.parametrize("fails", [False, True])
def test_over_the_border_of_a_file_system_a_copy_comes_first(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    path = inbox.put("a.hl7", b"1")
    real, sync = os.rename, os.fsync

    def rename(source: Any, target: Any) -> None:
        if source == path and b".processed" in target:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    def full(descriptor: int) -> None:
        if fails and not os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(os, "fsync", full)
    inbox.look()
    assert inbox.intake.stored == [b"1"]
    if fails:
        assert inbox.names() == ["a.hl7"]
        assert inbox.processed() == []
    else:
        assert inbox.names() == []
        assert (inbox.root / ".processed" / "a.hl7").read_bytes() == b"1"


def test_folders_inside_are_read_where_that_is_wanted(inbox: Inbox) -> None:
    (inbox.root / "ward" / "7").mkdir(parents=True)
    inbox.put("ward/7/a.hl7", b"1")
    inbox.look()
    assert inbox.intake.stored == []
    inbox.settings["recursive"] = True
    inbox.look(3)
    assert inbox.intake.stored == [b"1"]
    assert inbox.names("ward/7/.processed") == ["a.hl7"]


def test_a_stop_comes_between_two_files(inbox: Inbox) -> None:
    for name in ("a.hl7", "b.hl7", "c.hl7"):
        inbox.put(name, name.encode())
    submit, wait = inbox.intake.submit, inbox.intake.wait
    inbox.intake.wait = lambda seconds: not inbox.intake.stored and wait(seconds)  # type: ignore[method-assign]
    inbox.look()
    assert inbox.intake.stored == [b"a.hl7"]
    assert inbox.names() == ["b.hl7", "c.hl7"]
    assert submit


def test_a_long_file_is_whole(inbox: Inbox) -> None:
    content = message("M1") + b"Z" * (8 << 20)
    inbox.put("a.hl7", content)
    inbox.look()
    assert inbox.intake.stored == [content]

"""`File` as an inbound: what becomes of a file that was read, or cannot be."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine.connectors.file_in import LOOKS
from inbox import Inbox


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


def test_what_the_engine_refuses_is_set_aside_with_the_number_of_its_message(inbox: Inbox) -> None:
    inbox.intake.refused = b"no"
    inbox.put("a.hl7", b"no HL7")
    inbox.put("b.hl7", b"1")
    inbox.look(2)
    assert inbox.intake.stored == [b"1"]
    assert (inbox.root / ".error" / "a.hl7.reason").read_text() == "refused, see message 1\n"

"""`File` as an outbound: names, what is there whole or not at all, and what fails how."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from doubles import Delivery
from fastmllp_engine.connectors import (
    Connection,
    Credential,
    DeliveryFailed,
    File,
    RefusedForGood,
    RefusedForNow,
    Transport,
    file_out,
)
from fastmllp_engine.connectors.file_out import FileSender
from fastmllp_engine.graph import ConfigurationError
from partners import message


class Outbox:
    """A folder, and the outbound that writes to it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "out"
        self.root.mkdir()
        self.settings: dict[str, Any] = {}

    def sender(self) -> FileSender:
        spec = File(directory=str(self.root), **self.settings)
        sender = FileSender(spec, Connection("OB", self.root, "1"))
        sender.connect()
        return sender

    def send(self, content: bytes, **more: Any) -> str:
        return self.sender().send(Delivery(content, **more))

    def names(self) -> list[str]:
        return sorted(os.listdir(self.root))


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path)


def test_a_delivery_is_a_file(outbox: Outbox) -> None:
    assert outbox.send(message("M1")) == "written to M1.hl7"
    assert outbox.names() == ["M1.hl7"]
    assert (outbox.root / "M1.hl7").read_bytes() == message("M1")


def test_a_note_shows_no_field_of_a_patient(outbox: Outbox) -> None:
    outbox.settings["filename"] = "{PID-5.1}-{MSH-10}-{message}.hl7"
    assert outbox.send(message("M1")) == "written to {PID-5.1}-M1-7.hl7"
    assert outbox.names() == ["SECRETNAME-M1-7.hl7"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.hl7"),
        ("..", "%2E..hl7"),
        (".", "%2E.hl7"),
        ("a\\F\\b\0c\nd", None),
        ("-rf *", "-rf%20%2A.hl7"),
        ("a%2Fb", "a%252Fb.hl7"),
        ("M\u00fcller", "M%C3%BCller.hl7"),
        ("CON", "CON.hl7"),
    ],
)
def test_a_value_cannot_leave_the_folder(outbox: Outbox, value: str, name: str | None) -> None:
    outbox.settings["filename"] = "{PID-3}.hl7"
    outbox.send(message("M1", patient=value))
    (made,) = outbox.names()
    assert name is None or made == name
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~%")


def test_long_values_that_differ_have_names_that_differ(outbox: Outbox) -> None:
    outbox.settings["filename"] = "{PID-3}.hl7"
    outbox.send(message("M1", patient="x" * 400 + "1"))
    outbox.send(message("M1", patient="x" * 400 + "2"))
    assert len(outbox.names()) == 2
    assert all(len(name) == 255 and name.endswith(".hl7") for name in outbox.names())


@pytest.mark.parametrize("payload", [message(""), b"no HL7", b""])
def test_without_a_value_for_the_name_nothing_is_written(outbox: Outbox, payload: bytes) -> None:
    with pytest.raises(RefusedForGood) as caught:
        outbox.send(payload)
    assert "MSH-10" in str(caught.value)
    assert outbox.names() == []


def test_the_same_again_is_delivered_and_there_once(outbox: Outbox) -> None:
    outbox.send(message("M1"))
    assert outbox.send(message("M1"), attempt=2) == "M1.hl7 was there already"
    assert outbox.names() == ["M1.hl7"]


def test_another_file_of_the_name_stays_as_it_is(outbox: Outbox) -> None:
    outbox.send(message("M1", patient="1"))
    with pytest.raises(RefusedForGood, match="another file"):
        outbox.send(message("M1", patient="2"))
    assert (outbox.root / "M1.hl7").read_bytes() == message("M1", patient="1")
    outbox.settings["overwrite"] = True
    outbox.send(message("M1", patient="2"))
    assert (outbox.root / "M1.hl7").read_bytes() == message("M1", patient="2")
    assert outbox.names() == ["M1.hl7"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_written_through_a_link(outbox: Outbox, tmp_path: Path, overwrite: bool) -> None:
    outbox.settings["overwrite"] = overwrite
    (tmp_path / "other").write_bytes(message("M1"))
    (outbox.root / "M1.hl7").symlink_to(tmp_path / "other")
    if overwrite:
        outbox.send(message("M1"))
        assert not (outbox.root / "M1.hl7").is_symlink()
    else:
        with pytest.raises(RefusedForGood):
            outbox.send(message("M1"))
    assert (tmp_path / "other").read_bytes() == message("M1")


def test_shares_without_hard_links_do(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **more: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", link)
    outbox.send(message("M1", patient="1"))
    assert outbox.send(message("M1", patient="1")) == "M1.hl7 was there already"
    with pytest.raises(RefusedForGood):
        outbox.send(message("M1", patient="2"))
    assert outbox.names() == ["M1.hl7"]


class Killed(BaseException):
    """The process ends here."""


STEPS = ["link", "fsync", "unlink"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", [False, True])
def test_a_crash_between_two_steps_leaves_a_whole_file_or_none(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, step: str, before: bool
) -> None:
    sender = outbox.sender()
    real = getattr(os, step)

    def killed(*given: Any, **more: Any) -> None:
        if not before:
            real(*given, **more)
        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", lambda _: None)
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, step, killed)
        with pytest.raises(Killed):
            sender.send(Delivery(message("M1")))
    there = [it for it in outbox.names() if not it.startswith(".")]
    assert there in ([], ["M1.hl7"])
    outbox.send(message("M1"), attempt=2)
    assert outbox.names() == ["M1.hl7"]
    assert (outbox.root / "M1.hl7").read_bytes() == message("M1")


def test_what_was_left_half_written_is_removed_and_nothing_else(outbox: Outbox) -> None:
    mine = outbox.sender()._mine.decode()
    for name in (mine + "12.part", ".fastmllp-000000000000-3.part", "other.part"):
        (outbox.root / name).write_bytes(b"half")
    outbox.sender()
    assert outbox.names() == [".fastmllp-000000000000-3.part", "other.part"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, RefusedForNow),
        (errno.EDQUOT, RefusedForNow),
        (errno.EACCES, Credential),
        (errno.EROFS, Credential),
        (errno.EFBIG, RefusedForGood),
        (errno.EIO, Transport),
        (errno.ESTALE, Transport),
        (errno.ENOENT, Transport),
    ],
)
def test_what_fails_says_what_becomes_of_the_delivery(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[DeliveryFailed]
) -> None:
    sender = outbox.sender()

    def fails(descriptor: int) -> None:
        raise OSError(number, os.strerror(number), "SECRETNAME")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(DeliveryFailed) as caught:
            sender.send(Delivery(message("M1")))
    assert type(caught.value) is kind
    assert str(caught.value) == os.strerror(number)
    assert outbox.names() == []


def test_without_a_folder_it_is_not_connected(outbox: Outbox) -> None:
    sender = outbox.sender()
    outbox.root.rmdir()
    with pytest.raises(Transport, match="the folder is not there"):
        sender.connect()
    with pytest.raises(Transport):
        sender.send(Delivery(message("M1")))
    outbox.root.mkdir()
    sender.connect()
    sender.send(Delivery(message("M1")))
    assert outbox.names() == ["M1.hl7"]


def test_a_long_message_is_never_whole_in_memory(outbox: Outbox) -> None:
    delivery = Delivery(message("M1") + b"ZZZ|" + b"x" * (5 * file_out.PIECE))
    outbox.sender().send(delivery)
    assert not delivery.was_read_whole
    assert delivery.longest == file_out.PIECE
    assert (outbox.root / "M1.hl7").read_bytes() == delivery.content


def test_a_field_far_behind_is_found(outbox: Outbox) -> None:
    outbox.settings["filename"] = "{ZZ2-1}.hl7"
    outbox.send(message("M1") + b"ZZ1|" + b"x" * (2 * file_out.PIECE) + b"\rZZ2|far\r")
    assert outbox.names() == ["far.hl7"]


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("{mesage}", 'filename has {mesage}, which is nothing known; did you mean "message"?'),
        ("{MSH-10", "filename has a brace that is not one of a pair"),
        ("../{MSH-10}", "filename is the name of a file, without a folder"),
        ("{}", "filename has {}, which is nothing known: a field, or message"),
    ],
)
def test_a_template_is_checked(filename: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        File(directory="/", filename=filename)
    assert text in str(caught.value)

"""`File` as an inbound: names that are hostile, and what is no file."""

import os
import socket
from pathlib import Path

from inbox import Inbox

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
    # What is hidden is read only if the pattern says so.
    for pattern in ("*.hl7", ".*"):
        for name in HOSTILE:
            inbox.put(name, name)
        inbox.settings["pattern"] = pattern
        inbox.look()
    processed = os.fsencode(inbox.root / ".processed")
    assert sorted(os.listdir(processed)) == sorted(HOSTILE)
    assert sorted(inbox.intake.stored) == sorted(HOSTILE)
    # The same names again: nothing that was kept is overwritten.
    inbox.settings["pattern"] = "*.hl7"
    inbox.look()
    visible = [name for name in HOSTILE if not name.startswith(b".")]
    assert len(os.listdir(processed)) == len(HOSTILE) + len(visible)
    assert all(len(name) <= 255 for name in os.listdir(processed))


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


def test_folders_inside_are_read_where_that_is_wanted(inbox: Inbox) -> None:
    (inbox.root / "ward" / "7").mkdir(parents=True)
    inbox.put("ward/7/a.hl7", b"1")
    inbox.look()
    assert inbox.intake.stored == []
    inbox.settings["recursive"] = True
    inbox.look(3)
    assert inbox.intake.stored == [b"1"]
    assert inbox.names("ward/7/.processed") == ["a.hl7"]

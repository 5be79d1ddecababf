"""The inbound half of `File`: a file becomes a message, and goes once that is stored."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fastmllp_engine.connectors import file_moves
from fastmllp_engine.connectors.contract import Connection, Intake, NotStored, Receipt, Receiver
from fastmllp_engine.connectors.file_folder import Folder, Found, beside, shown, stamp_of
from fastmllp_engine.connectors.file_ledger import Entry, Ledger

if TYPE_CHECKING:
    from fastmllp_engine.connectors.file import File

LOOKS = 10
"""A file that cannot be read so many times, one look after the other, is set aside."""
PART = 256 << 10
"""So many bytes of a file are in memory."""
REASON = b".reason"
"""What the name of the file ends with that says why another one was set aside."""
_DAY = 24 * 60 * 60


class Unreadable(Exception):
    """A file can never be a message. The text says why."""


class FileReceiver(Receiver):
    """Looks at a folder until it is told to end.

    A file is read, submitted, written into the ledger once it is stored, and then moved or deleted.
    After a crash between the last two, the ledger says that it is stored. After one before them
    the file is submitted a second time, which the engine recognises as a duplicate.
    """

    def __init__(
        self, spec: "File", connection: Connection, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spec = spec
        self._file = connection.folder / "files.sqlite"
        self._folder = Folder(spec, clock)
        self._said: dict[bytes, str] = {}
        """What was said of each file or folder, so that it is said once."""
        self._failed: dict[bytes, int] = {}
        """How often in turn a file could not be read."""
        self._seen_day = 0

    def run(self, intake: Intake) -> None:
        """Look, again and again."""
        with Ledger(self._file) as ledger:
            going = True
            while going:
                going = self._look(intake, ledger) and intake.wait(self._spec.poll_seconds)

    def _look(self, intake: Intake, ledger: Ledger) -> bool:
        """Take what is ready. False: the connection has to end."""
        try:
            ready = self._folder.ready()
        except OSError as error:
            self._say(intake, self._folder.root, f"the folder cannot be read: {error.strerror}")
            return True
        self._forget_what_is_gone(intake)
        for found in ready:
            if not intake.wait(0):
                return False
            try:
                self._take(found, intake, ledger)
            except NotStored as error:
                # The order stays: nothing later goes before it.
                self._say(intake, self._folder.root, f"not stored: {error}")
                return True
        day = _today()
        if day != self._seen_day:
            ledger.see(self._folder.seen, day)
            self._seen_day = day
        self._said.pop(self._folder.root, None)
        return True

    def _forget_what_is_gone(self, intake: Intake) -> None:
        there = {*self._folder.seen, *self._folder.passed_over, self._folder.root}
        self._said = {path: text for path, text in self._said.items() if path in there}
        self._failed = {path: count for path, count in self._failed.items() if path in there}
        for path in sorted(self._folder.passed_over):
            self._say(intake, path, "not read: it is no file, or a link to one")

    def _take(self, found: Found, intake: Intake, ledger: Ledger) -> None:
        known = ledger.get(found.path)
        if known is None or known.stamp != found.stamp:
            try:
                digest, receipt = self._store(found, known, intake)
            except Unreadable as error:
                self._set_aside(found, str(error), intake, ledger)
                return
            except file_moves.Changed:
                return
            except OSError as error:
                self._cannot_read(found, error, intake, ledger)
                return
            self._failed.pop(found.path, None)
            ledger.put(found.path, Entry(found.stamp, digest), _today())
            if receipt is not None and receipt.outcome == "refused":
                self._set_aside(found, f"refused, see message {receipt.message}", intake, ledger)
                return
        if self._spec.after_read != "leave":
            self._put_away(found, intake, ledger)

    def _store(
        self, found: Found, known: Entry | None, intake: Intake
    ) -> tuple[bytes, Receipt | None]:
        """Submit a file, unless this content of it is stored already.

        Raises:
            Unreadable: it can never be a message.
            file_moves.Changed: it is not any more what was found. Nothing is stored.
            OSError: it cannot be read now. Nothing is stored.
            NotStored: the engine does not say that it is stored.
        """
        if found.stamp.size > self._spec.max_file_bytes:
            raise Unreadable(f"longer than {self._spec.max_file_bytes} bytes")
        if not found.stamp.size:
            raise Unreadable("empty")
        if known is not None:
            hashed = hashlib.sha256()
            for part in _parts(found):
                hashed.update(part)
            if hashed.digest() == known.digest:
                return known.digest, None
        hashed = hashlib.sha256()

        def parts() -> Iterator[bytes]:
            for part in _parts(found):
                hashed.update(part)
                yield part

        receipt = intake.submit(parts())
        return hashed.digest(), receipt

    def _put_away(self, found: Found, intake: Intake, ledger: Ledger) -> None:
        """Move or delete a file that is stored. What does not succeed is tried at the next look."""
        marker = self._folder.marker(found.path)
        try:
            if stamp_of(os.lstat(found.path)) != found.stamp:
                return
            # Before the file: a marker that is left would speak for the next file of this name.
            if marker is not None and os.path.lexists(marker):
                os.unlink(marker)
            if self._spec.after_read == "move":
                file_moves.move(found.path, beside(found.path, self._spec.processed_subdir))
            else:
                file_moves.delete(found.path)
        except file_moves.Changed:
            pass
        except OSError as error:
            self._say(intake, found.path, f"stored, but it cannot be moved: {error.strerror}")
            return
        ledger.forget(found.path)

    def _cannot_read(self, found: Found, error: OSError, intake: Intake, ledger: Ledger) -> None:
        """Somebody may have it open, or a share may be away: only what lasts is set aside."""
        if isinstance(error, FileNotFoundError):
            return
        self._failed[found.path] = self._failed.get(found.path, 0) + 1
        if self._failed[found.path] >= LOOKS:
            self._set_aside(found, error.strerror or "unreadable", intake, ledger)

    def _set_aside(self, found: Found, why: str, intake: Intake, ledger: Ledger) -> None:
        self._failed.pop(found.path, None)
        if self._spec.after_read == "leave":
            self._say(intake, found.path, f"not read: {why}")
            ledger.put(found.path, Entry(found.stamp, b""), _today())
            return
        try:
            target = file_moves.move(found.path, beside(found.path, self._spec.error_subdir))
        except file_moves.Changed:
            return
        except OSError as error:
            self._say(intake, found.path, f"not read: {why}; nor moved: {error.strerror}")
            return
        ledger.forget(found.path)
        folder, name = os.path.split(target)
        reason = os.path.join(folder, name[: file_moves.NAME_BYTES - len(REASON)] + REASON)
        with open(reason, "w", encoding="utf-8") as file:
            file.write(why + "\n")
        intake.say(f"{shown(found.path)} not read: {why}; it is in {self._spec.error_subdir}")

    def _say(self, intake: Intake, path: bytes, text: str) -> None:
        if self._said.get(path) != text:
            self._said[path] = text
            about = f"{shown(path)}: " if path != self._folder.root else ""
            intake.say(f"{about}{text}")


def _parts(found: Found) -> Iterator[bytes]:
    """The content of a file, and with its last part the certainty that it is what was found."""
    # A link that has taken the file's place since is refused, and a pipe does not block.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(found.path, flags), "rb") as file:
        if stamp_of(os.fstat(file.fileno())) != found.stamp:
            raise file_moves.Changed
        left = found.stamp.size
        while left:
            part = file.read(min(left, PART))
            left -= len(part)
            if not left and stamp_of(os.lstat(found.path)) != found.stamp:
                raise file_moves.Changed
            if not part:
                raise file_moves.Changed
            yield part


def _today() -> int:
    return int(time.time()) // _DAY

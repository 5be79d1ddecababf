"""The backups of a running engine: one at a time, and what became of the last one."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastmllp_engine._native import Backup, BackupMade, Engine


class Backups:
    """Makes backups, and tells how far they have come."""

    def __init__(self) -> None:
        self.last: BackupMade | None = None
        self.failure: str | None = None
        """Why the last one that was tried is not there."""
        self._making: Backup | None = None

    def make(self, engine: "Engine", to: str) -> "BackupMade":
        """Make a backup, and return once it is whole and durable.

        Raises:
            EngineError: there is none; what keeps it from being made is in its text.
            ValueError: the path is not whole.
        """
        from fastmllp_engine._native import EngineError

        if not os.path.isabs(to):
            raise ValueError(f"{to} is no whole path")
        try:
            making = engine.back_up(to)
            self._making = self._making or making
            try:
                made = making.finish()
            finally:
                if self._making is making:
                    self._making = None
        except EngineError as error:
            self.failure = str(error)
            raise
        self.last, self.failure = made, None
        return made

    def progress(self) -> tuple[int, int] | None:
        """Bytes that are copied, and bytes in all; None: no backup is being made."""
        making = self._making
        return making.progress() if making else None

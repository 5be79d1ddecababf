"""A folder, and the inbound that reads it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doubles import Clock, Intake
from fastmllp_engine.connectors import Connection, File
from fastmllp_engine.connectors.file_in import FileReceiver


class Inbox:
    """What a test puts there is looked at as often as the test says."""

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

"""Distributions with connectors, as pip leaves them in a folder of packages."""

from pathlib import Path

DIRECTORY = '''
"""A connector of somebody else: each line of a file is a message."""

import os

from fastmllp_engine.connectors import (
    Connection, Connector, Delivery, Intake, Receiver, RefusedForGood, Sender, Transport,
)


class Lines(Connector):
    """Lines of a file."""

    path: str
    """The file."""
    transport = "lines"

    def receiver(self, connection: Connection) -> Receiver:
        return LinesReceiver(self.path)

    def sender(self, connection: Connection) -> Sender:
        return LinesSender(self.path)


class LinesReceiver(Receiver):
    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, intake: Intake) -> None:
        while intake.wait(0.02):
            if not os.path.exists(self._path):
                continue
            with open(self._path, "rb") as file:
                lines = file.read().splitlines()
            for line in lines:
                intake.submit(line.replace(b"|~|", b"\\r"))
            os.unlink(self._path)


class LinesSender(Sender):
    def __init__(self, path: str) -> None:
        self._path = path

    def connect(self) -> None:
        if not os.path.isdir(os.path.dirname(self._path)):
            raise Transport("its folder is not there")

    def send(self, delivery: Delivery) -> str:
        if b"NEVER" in delivery.payload:
            raise RefusedForGood("not with that name")
        if b"RAISE" in delivery.payload:
            raise ValueError("SECRETNAME")
        with open(self._path, "ab") as file:
            file.write(delivery.payload.replace(b"\\r", b"|~|") + b"\\n")
            file.flush()
            os.fsync(file.fileno())
        return "appended"
'''


def install(folder: Path, name: str, points: dict[str, str], code: str = "") -> Path:
    """Leave a distribution in a folder: `NAME.py`, and what it registers."""
    about = folder / f"{name}-1.2.dist-info"
    about.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"{point} = {value}\n" for point, value in points.items()]
    (about / "entry_points.txt").write_text("[fastmllp_engine.connectors]\n" + "".join(lines))
    return folder

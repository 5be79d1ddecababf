"""Files of a folder: read as messages, or written."""

import os
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from fastmllp_engine.connectors import file_name
from fastmllp_engine.connectors.contract import Connection, Connector, Receiver, Sender
from fastmllp_engine.graph.kinds import Count, Seconds, Text

_LATER = "it belongs to a later version"


class File(Connector):
    """Files of a folder. An inbound reads each as a message; an outbound writes one for each."""

    directory: Text
    """The folder. It must exist; a path that is not absolute counts from the engine's."""
    encoding: Text = "utf-8"
    """The character set of messages that do not name one in MSH-18."""
    filename: Text = "{MSH-10}.hl7"
    """Outbound: the name of a file. In braces stand fields of the message, or ``message``, the
    number of the one that was received."""
    overwrite: bool = False
    """Outbound: whether a file of the same name is replaced; otherwise its delivery is refused."""
    timeout_seconds: Seconds = 60.0
    """Outbound: for writing a file. Inbound: for the next 256 KiB of one."""
    pattern: Text = "*.hl7"
    """Inbound: which files are read, by their names. Hidden ones only if this begins with a dot."""
    poll_seconds: Seconds = 1.0
    """Inbound: how often the folder is looked at."""
    min_age_seconds: float = 2.0
    """Inbound: how long a file's size and time have to stand still before it is read."""
    ready_suffix: Text | None = None
    """Inbound: ``a.hl7`` is read once ``a.hl7.ok`` is there too, if this is ``.ok``."""
    after_read: Literal["move", "delete", "leave"] = "move"
    """Inbound: what becomes of a file once its message is stored."""
    sort: Literal["name", "time"] = "name"
    """Inbound: in which order files are read that are ready at the same time."""
    recursive: bool = False
    """Inbound: whether folders inside are read too."""
    max_file_bytes: Count = 128 * 1024 * 1024
    """Inbound: a longer file goes to the folder of errors."""
    processed_subdir: Text = ".processed"
    """Inbound: where files go that were read, in the folder where they were."""
    error_subdir: Text = ".error"
    """Inbound: where files go that cannot be read."""

    transport: ClassVar[str] = "file"
    refused: ClassVar[Mapping[str, str]] = {
        "compress": f"compression: {_LATER}",
        "decompress": f"compression: {_LATER}",
        "poll_max_files": "files are read one after the other",
    }

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.min_age_seconds < 0:
            yield (
                "min_age_seconds",
                f"min_age_seconds must be at least 0, is {self.min_age_seconds}",
            )
        for name in ("processed_subdir", "error_subdir"):
            value = getattr(self, name)
            if value in (".", "..") or "/" in value or "\\" in value:
                yield name, f"{name} must be the name of a folder"
        if self.processed_subdir == self.error_subdir:
            yield "error_subdir", "processed_subdir and error_subdir must differ"
        if "/" in self.pattern:
            yield "pattern", "pattern is for the name of a file, without a folder"
        for text in file_name.faults(self.filename):
            yield "filename", text

    def noted(self) -> Iterator[str]:
        if not os.path.isdir(self.directory):
            yield f"the folder {self.directory} is not there now"

    def wanted_of_outbound(self) -> Iterator[str]:
        if not self.overwrite and file_name.is_always_the_same(self.filename):
            yield "filename has no braces, so without overwrite only one file could be written"

    def summary(self) -> str:
        return self.directory

    def receiver(self, connection: Connection) -> Receiver:
        from fastmllp_engine.connectors.file_in import FileReceiver

        return FileReceiver(self, connection)

    def sender(self, connection: Connection) -> Sender:
        from fastmllp_engine.connectors.file_out import FileSender

        return FileSender(self, connection)

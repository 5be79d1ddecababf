"""Files of a folder: read as messages, or written."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from fastmllp_engine.graph import Spec
from fastmllp_engine.graph.kinds import Count, Seconds, Text

_LATER = "it belongs to a later version"


class File(Spec):
    """Files of a folder. An inbound reads each as a message; an outbound writes one for each."""

    directory: Text
    """The folder. It must exist; a path that is not absolute counts from the engine's."""
    encoding: Text = "utf-8"
    """The character set of messages that do not name one in MSH-18."""
    filename: Text = "{MSH-10}.hl7"
    """Outbound: the name of a file. Fields of the message stand in braces."""
    overwrite: bool = False
    """Outbound: whether a file of the same name is replaced; otherwise its delivery is refused."""
    pattern: Text = "*.hl7"
    """Inbound: which files are read."""
    poll_seconds: Seconds = 1.0
    """Inbound: how often the folder is looked at."""
    min_age_seconds: float = 2.0
    """Inbound: how long a file's size and time have to stand still before it is read."""
    ready_suffix: Text | None = None
    """Inbound: a file is read once one with this suffix as well, such as ``.ok``, is there."""
    after_read: Literal["move", "delete", "leave"] = "move"
    """Inbound: what becomes of a file once its message is stored."""
    sort: Literal["name", "time"] = "name"
    """Inbound: in which order files are read."""
    recursive: bool = False
    """Inbound: whether folders inside are read too."""
    max_file_bytes: Count = 128 * 1024 * 1024
    """Inbound: a longer file goes to the folder of errors."""
    processed_subdir: Text = ".processed"
    """Inbound: where files go that were read."""
    error_subdir: Text = ".error"
    """Inbound: where files go that cannot be read."""

    transport: ClassVar[str] = "file"
    receives: ClassVar[bool] = True
    sends: ClassVar[bool] = True
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

    def summary(self) -> str:
        return self.directory

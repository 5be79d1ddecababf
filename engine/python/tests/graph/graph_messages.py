"""A message as simple as the tests of the graph need it."""

from typing import Self


class Fake:
    """Fields by paths such as ``PID-3.1``, in messages with the usual separators."""

    def __init__(self, data: bytes) -> None:
        self._segments = data.decode().rstrip("\r").split("\r")

    def _at(self, path: str) -> tuple[int, int, int] | None:
        name, _, rest = path.partition("-")
        field, _, component = rest.partition(".")
        shift = 1 if name == "MSH" else 0
        for at, segment in enumerate(self._segments):
            if segment.startswith(name):
                return at, int(field) - shift, int(component or 0)
        return None

    def __getitem__(self, path: str) -> str | None:
        at = self._at(path)
        if at is None:
            return None
        segment, field, component = at
        fields = self._segments[segment].split("|")
        value = fields[field] if field < len(fields) else ""
        parts = value.split("^")
        if component:
            value = parts[component - 1] if component <= len(parts) else ""
        return value or None

    def __setitem__(self, path: str, value: str) -> None:
        at = self._at(path)
        assert at is not None
        segment, field, component = at
        fields = self._segments[segment].split("|")
        fields += [""] * (field + 1 - len(fields))
        parts = fields[field].split("^")
        parts += [""] * (component - len(parts))
        parts[component - 1 if component else 0 : component or len(parts)] = [value]
        fields[field] = "^".join(parts)
        self._segments[segment] = "|".join(fields)

    def copy(self) -> Self:
        return type(self)(self.encode())

    def encode(self) -> bytes:
        return "".join(f"{segment}\r" for segment in self._segments).encode()


def parse(data: bytes, inbound: object = None) -> Fake:
    """What the worker makes of the bytes of a message."""
    return Fake(data)


def adt(event: str = "A01", patient: str = "1001", control_id: str = "M1") -> bytes:
    """An ADT message."""
    lines = [
        rf"MSH|^~\&|A|B|C|D|20261201||ADT^{event}|{control_id}|P|2.5",
        f"PID|1||{patient}^^^H||DOE^JANE",
        "PV1|1|I|W1",
    ]
    return "".join(f"{line}\r" for line in lines).encode()

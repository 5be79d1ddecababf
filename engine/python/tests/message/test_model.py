"""A message beside a naive model of one: text, split at every separator and joined again.

The cases are random, from a seed that the test names.
"""

import random

import pytest
from fastmllp_engine import Message, MessageError, Raw

SEPARATORS = "|~^&"
ESCAPES = {"\\": "E", "|": "F", "~": "R", "^": "S", "&": "T"}


def escape(text: str) -> str:
    return "".join(f"\\{ESCAPES[it]}\\" if it in ESCAPES else it for it in text)


class Model:
    """Segments as lists: field, repetition, component and subcomponent by their numbers."""

    def __init__(self, payload: str) -> None:
        self.lines = payload.removesuffix("\r").split("\r")

    def payload(self) -> str:
        return "".join(f"{line}\r" for line in self.lines)

    def index(self, name: str, occurrence: int) -> int | None:
        found = [at for at, line in enumerate(self.lines) if line.split("|")[0] == name]
        return found[occurrence - 1] if len(found) >= occurrence else None

    def get(self, name: str, occurrence: int, numbers: list[int]) -> str | None:
        index = self.index(name, occurrence)
        if index is None:
            return None
        node, places = self.lines[index], [numbers[0] + 1, *numbers[1:]]
        for separator, number in zip(SEPARATORS, places, strict=False):
            parts = node.split(separator)
            if len(parts) < number:
                return None
            node = parts[number - 1]
        return node

    def set(self, name: str, occurrence: int, numbers: list[int], text: str) -> bool:
        """Whether it can be done: a new segment or repetition must be the next one."""
        index = self.index(name, occurrence)
        if index is None and occurrence > 1 and self.index(name, occurrence - 1) is None:
            return False
        line = name if index is None else self.lines[index]
        written = self._put(line, SEPARATORS, [numbers[0] + 1, *numbers[1:]], text)
        if written is None:
            return False
        if self.get(name, occurrence, numbers) is None and not text:
            return True
        if index is None:
            self.lines.append(written)
        else:
            self.lines[index] = written
        return True

    def _put(self, node: str, separators: str, numbers: list[int], text: str) -> str | None:
        if not numbers:
            return text
        parts = node.split(separators[0])
        if separators[0] == "~" and len(parts) + 1 < numbers[0]:
            return None
        parts += [""] * (numbers[0] - len(parts))
        below = self._put(parts[numbers[0] - 1], separators[1:], numbers[1:], text)
        if below is None:
            return None
        parts[numbers[0] - 1] = below
        return separators[0].join(parts)


def path_of(name: str, occurrence: int, numbers: list[int]) -> str:
    field, *rest = numbers
    path = f"{name}[{occurrence}]-{field}"
    if rest:
        path += f"[{rest[0]}]" + "".join(f".{number}" for number in rest[1:])
    return path


@pytest.mark.parametrize("seed", range(40))
def test_random_changes_do_what_the_model_does(seed: int) -> None:
    chance = random.Random(seed)
    msg = Message("MSH|^~\\&|A\rPID|1||2\r")
    model = Model("MSH|^~\\&|A\rPID|1||2\r")
    sent: list[tuple[Message, str]] = []
    for _ in range(150):
        name = chance.choice(["PID", "OBX", "ZAB"])
        occurrence = chance.randint(1, 3)
        numbers = [chance.randint(1, n) for n in (6, 3, 3, 2)[: chance.randint(1, 4)]]
        path = path_of(name, occurrence, numbers)
        raw = model.get(name, occurrence, numbers)
        assert msg.bytes(path) == (None if raw is None else raw.encode())
        inner = SEPARATORS[len(numbers) :]
        if raw is not None and any(it in raw for it in inner):
            assert type(msg[path]) is Raw and msg[path] == raw
        elif raw is not None:
            assert escape(msg[path] or "") == raw
        text = "".join(chance.choices("ab1|^~&\\ ,", k=chance.randint(0, 6)))
        written: str = escape(text)
        value: str = text
        if chance.random() < 0.3:
            written = "".join(chance.choices("ab1" + inner, k=chance.randint(0, 6)))
            value = Raw(written)
        if model.set(name, occurrence, numbers, written):
            msg[path] = value
        else:
            with pytest.raises(MessageError):
                msg[path] = value
        assert msg.encode() == model.payload().encode()
        if chance.random() < 0.1:
            sent.append((msg.copy(), model.payload()))
    assert all(copy.encode() == payload.encode() for copy, payload in sent)

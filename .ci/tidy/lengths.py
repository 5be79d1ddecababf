"""A file has one concept and fits a reader's head; so does a function."""

from collections.abc import Iterable, Iterator

from source import File, functions

MAX_FILE = 400
MAX_FUNCTION = 60

EXEMPT = {
    "bindings-c/include/mllp.h": "generated from the sources",
    "bindings-python/python/fastmllp/_native.pyi": "one native module has one stub",
    "engine/python/python/fastmllp_engine/_native.pyi": "one native module has one stub",
}
"""Files of any length, and why."""


def findings(files: Iterable[File]) -> Iterator[str]:
    """What is too long."""
    for file in files:
        if str(file.path) in EXEMPT:
            continue
        if file.lines > MAX_FILE:
            yield f"{file.path}: {file.lines} lines, at most {MAX_FILE}"
        for name, line, length in functions(file):
            if length > MAX_FUNCTION:
                yield f"{file.path}:{line}: {name} has {length} lines, at most {MAX_FUNCTION}"

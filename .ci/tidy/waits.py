"""A test waits for an event, never for a fixed time, and never asserts how long something took.

A fixed time is too short on a slow machine and wasted on a fast one. What is allowed: a pause in
a ``while`` loop, which asks again until something has happened, and ``asyncio.sleep(0)``, which
lets the loop go on. A deadline that ends such a loop is compared with the clock, not with how
long it took.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from source import File, block_end, code_of_tests

EXEMPT = {
    "bindings-python/tests/peers.py: not_before": "that nothing ends early a clock proves anywhere",
    "examples/tests/test_examples.py: busy": "how much a process computes is measured over a time",
}
"""Functions of Python that may wait for a fixed time or assert a duration, and why."""

_CLOCKS = frozenset({"monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns"})
_SLEEP = re.compile(r"\b(?:sleep|usleep|nanosleep)\s*\(")
_LOOP = re.compile(r"\b(?:while\b[^{;]*|loop\s*)\{")
_DURATION = re.compile(r"\.(?:elapsed|duration_since)\(")
_NAMED = re.compile(r"\blet\s+(?:mut\s+)?(\w+)[^=;]*=[^;]*\.(?:elapsed|duration_since)\([^;]*;")
_ASSERT = re.compile(r"\b(?:debug_)?assert(?:_eq|_ne)?!\s*\(")


def findings(files: Iterable[File], exempt: Collection[str] = EXEMPT.keys()) -> Iterator[str]:
    """What waits for a fixed time in a test, or asserts a duration."""
    unused = set(exempt)
    for file in files:
        if file.language != "python":
            for line, what in sorted(_in_code(code_of_tests(file))):
                yield f"{file.path}:{line}: {what}"
        elif file.is_test:
            for line, what, function in sorted(_in_python(file.text)):
                name = f"{file.path}: {function}"
                if name not in exempt:
                    yield f"{file.path}:{line}: {what}"
                unused.discard(name)
    for name in sorted(unused):
        yield f"{name} is exempt, and there is nothing in it"


def _in_code(code: str) -> Iterator[tuple[int, str]]:
    loops = [(loop.end(), block_end(code, loop.end() - 1)) for loop in _LOOP.finditer(code)]
    for sleep in _SLEEP.finditer(code):
        if not any(begin <= sleep.start() < end for begin, end in loops):
            yield _line(code, sleep.start()), "waits for a fixed time"
    durations = {name[1] for name in _NAMED.finditer(code)}
    for assertion in _ASSERT.finditer(code):
        said = code[assertion.end() : _list_end(code, assertion.end())]
        if _DURATION.search(said) or durations & set(re.findall(r"\w+", said)):
            yield _line(code, assertion.start()), "asserts a duration"


def _line(code: str, position: int) -> int:
    return code.count("\n", 0, position) + 1


def _list_end(code: str, begin: int) -> int:
    depth = 1
    for bracket in re.compile(r"[()]").finditer(code, begin):
        depth += 1 if bracket[0] == "(" else -1
        if depth == 0:
            return bracket.start()
    return len(code)


def _in_python(text: str) -> set[tuple[int, str, str]]:
    """Line, what is wrong, and the innermost function that it is in."""
    tree = ast.parse(text)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    polls = {inner for loop in loops for inner in ast.walk(loop)}
    found: dict[int, tuple[str, str]] = {}
    # Outer functions come before those within them.
    for function in [tree, *(node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))]:
        name = "" if isinstance(function, ast.Module) else function.name
        durations = _named_durations(function) if name else set()
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _is_sleep(node) and node not in polls:
                found[node.lineno] = ("waits for a fixed time", name)
            elif isinstance(node, ast.Assert) and _is_about(node.test, durations):
                found[node.lineno] = ("asserts a duration", name)
    return {(line, what, name) for line, (what, name) in found.items()}


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_sleep(call: ast.Call) -> bool:
    """Whether it is one for a time: ``sleep(0)`` is a turn of the loop."""
    turns = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return _name(call.func) == "sleep" and not turns


def _named_durations(function: ast.AST) -> set[str]:
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_duration(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _is_about(test: ast.expr, durations: set[str]) -> bool:
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return _is_duration(test) or bool(names & durations)


def _is_duration(expression: ast.expr) -> bool:
    """Whether something is taken from a clock's time, or a clock's time from something."""
    differences = [
        node
        for node in ast.walk(expression)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    ]
    return any(
        isinstance(node, ast.Call) and _name(node.func) in _CLOCKS
        for difference in differences
        for node in ast.walk(difference)
    )


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""

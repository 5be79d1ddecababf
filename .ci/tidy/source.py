"""The files of the repository, and where the functions of Rust, C and Python begin and end."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_SUFFIXES = {".rs": "rust", ".c": "c", ".h": "c", ".py": "python", ".pyi": "python"}
_MADE = frozenset({"target", "dist", "__pycache__"})

# What may hold a brace or a word that is no code. A quote alone is a lifetime.
_NO_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/
    |\b(?:b|c|br|cr)?r(?P<hashes>\#*)".*?"(?P=hashes)
    |b?"(?:\\.|[^"\\])*"
    |b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]+\}|.)|[^'\\\n])'""",
    re.DOTALL | re.VERBOSE,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.DOTALL | re.MULTILINE)
_TEST_MODULE = re.compile(
    r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\(\w+\))?\s+)?mod\s+\w+\s*\{"
)


class Function(NamedTuple):
    """A function with a body."""

    name: str
    line: int
    length: int
    """Lines from its name to its end; documentation is not counted."""


class File(NamedTuple):
    """A source file."""

    path: Path
    """From the root of the repository."""
    language: str
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))

    @property
    def is_test(self) -> bool:
        """Whether all of it is for tests."""
        return "tests" in self.path.parts or self.path.stem in {"tests", "conftest"}


def files(root: Path = ROOT) -> Iterator[File]:
    """Every source file of ours, in order."""
    for path in paths(root):
        if path.suffix in _SUFFIXES:
            yield File(path, _SUFFIXES[path.suffix], (root / path).read_text())


def paths(root: Path = ROOT) -> list[Path]:
    """Every file of ours, from the root, in order: those that git knows, where it can be asked."""
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", root, "ls-files", "-z"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            names = map(Path, listed.stdout.split("\0")[:-1])
            return sorted(name for name in names if (root / name).is_file())
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if not _is_made(path))


def _is_made(path: Path) -> bool:
    """Whether it is in a folder that a build or a program has made."""
    folders = path.parts[:-1]
    hidden = any(folder.startswith(".") and folder != ".ci" for folder in folders)
    return hidden or not _MADE.isdisjoint(folders)


def blanked(text: str) -> str:
    """Rust or C with blanks for comments and for what stands between quotes."""
    return _NO_CODE.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def functions(file: File) -> Iterator[Function]:
    """Every function of a file, those within others as well."""
    if file.language == "python":
        yield from _python_functions(file.text)
        return
    yield from (_rust_functions if file.language == "rust" else _c_functions)(blanked(file.text))


def _rust_functions(code: str) -> Iterator[Function]:
    for head in re.compile(r"\bfn\s+(\w+)").finditer(code):
        begin = _body(code, head.end())
        if begin is not None:
            yield _function(code, head[1], head.start(), block_end(code, begin))


def _c_functions(code: str) -> Iterator[Function]:
    """What stands before a block at the top and has a list of parameters: C has no inner ones."""
    code = _DIRECTIVE.sub(_blank, code)
    end = 0
    while (begin := code.find("{", end)) >= 0:
        start = max(end, code.rfind(";", end, begin) + 1)
        end = block_end(code, begin) + 1
        if head := re.search(r"(\w+)\s*\(", code[start:begin]):
            yield _function(code, head[1], start + head.start(), end)


def _function(code: str, name: str, start: int, end: int) -> Function:
    return Function(name, code.count("\n", 0, start) + 1, code.count("\n", start, end) + 1)


def _python_functions(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        is_documented = ast.get_docstring(node, clean=False) is not None
        documentation = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
        length = (node.end_lineno or 0) - node.lineno + 1 - documentation
        yield Function(node.name, node.lineno, length)


def _body(code: str, position: int) -> int | None:
    """Where the body of a function begins; None for a declaration."""
    depth = 0
    for index in range(position, len(code)):
        character = code[index]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == ";" and depth == 0:
            return None
        elif character == "{" and depth == 0:
            return index
    return None


def block_end(code: str, begin: int) -> int:
    """Where the brace ends that begins there; the end of the code if it does not."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(code, begin):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(code)


def code_of_tests(file: File) -> str:
    """What only tests run in a file of Rust or C, blanked, with the lines where they are."""
    code = blanked(file.text)
    if file.is_test:
        return code
    kept = [False] * len(code)
    for module in _TEST_MODULE.finditer(code):
        for index in range(module.start(), block_end(code, module.end() - 1)):
            kept[index] = True
    return "".join(c if keep or c == "\n" else " " for c, keep in zip(code, kept, strict=True))

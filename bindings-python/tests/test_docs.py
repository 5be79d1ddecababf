"""Every block of the documentation site does what the text around it says.

On each page, in order:

* ``python`` runs, all blocks of the page in one namespace. A block whose first line is a comment
  with the name of a file is that file, and a later command uses it.
* ``sh``: each line is a command that succeeds. One that ends in ``&`` runs until the page is over
  and then stops cleanly.
* ``text`` is what the block before it has printed, with ``...`` for what is different each time.
"""

import inspect
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import fastmllp
import pytest
from fastmllp import Server
from fastmllp.aio import start_server
from fastmllp.cli import status
from fastmllp.logging import configure
from pages import DOCS, ROOT, Reader, pages
from platforms import can_share_a_port

TESTS = Path(__file__).parent


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """Pages configure the log."""
    logger = logging.getLogger("fastmllp")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    configure()
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


SHARES_A_PORT = re.compile(r"reuse_port=True|^fastmllp .*(--reload|--workers)", re.MULTILINE)
PAGES = [
    pytest.param(page, marks=can_share_a_port if SHARES_A_PORT.search(page.read_text()) else ())
    for page in pages()
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
@pytest.mark.usefixtures("log_as_before")
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Reader(page, tmp_path) as reader:
        reader.read()


def test_tests_that_pages_name() -> None:
    tests = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    for page in DOCS.rglob("*.md"):
        for name in re.findall(r"`(test_\w+)(?:\.py)?`", page.read_text()):
            assert f"def {name}(" in tests or any(TESTS.rglob(f"{name}.py")), f"{page}: {name}"


def test_every_public_name_is_in_the_reference() -> None:
    reference = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    for name in fastmllp.__all__:
        if not name.startswith("__"):
            assert re.search(rf"fastmllp\.{name}$", reference, re.MULTILINE), name


def test_files_that_pages_name() -> None:
    for page in DOCS.rglob("*.md"):
        for name in re.findall(r"`(examples/samples/\w+\.\w+)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page}: {name}"


def test_both_servers_take_the_same_options() -> None:
    blocking, asyncio = (inspect.signature(one).parameters for one in (Server, start_server))
    assert set(blocking) <= set(asyncio), "says the page on asyncio"


def test_exit_statuses() -> None:
    page = (DOCS / "command-line.md").read_text()
    assert status.__doc__ is not None
    table = [line for line in status.__doc__.replace("``", "`").splitlines() if "|" in line]
    assert [line for line in page.splitlines() if line in table] == table

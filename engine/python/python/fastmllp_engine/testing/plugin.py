"""The plugin of pytest: golden tests as its items, and the fixture ``feeds``.

It is there wherever fastmllp-engine is installed, and does nothing without an option of the ini
file:

.. code-block:: ini

    [pytest]
    fastmllp_feeds = feeds
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fastmllp_engine.graph import GoldenTest
    from fastmllp_engine.testing.feeds import Feeds

LOADED = pytest.StashKey[dict[Path, "Feeds"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the ini file."""
    parser.addini("fastmllp_feeds", "folders of configurations with golden tests", type="paths")
    parser.addini("fastmllp_environment", "the environment that they are loaded with", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "GoldenFile | None":
    """A message of a golden test is collected where pytest comes across it."""
    if file_path.suffix != ".hl7" or len(file_path.parents) < 3:
        return None
    tests, folder = file_path.parents[1], file_path.parents[2]
    if tests.name != "tests" or folder not in _folders(parent.config):
        return None
    return GoldenFile.from_parent(parent, path=file_path)


@pytest.fixture(scope="session")
def feeds(request: pytest.FixtureRequest) -> "Feeds":
    """The configuration of ``fastmllp_feeds``; of several, the first."""
    folders = _folders(request.config)
    if not folders:
        pytest.fail("fastmllp_feeds of the ini file names no folder", pytrace=False)
    return _loaded(request.config, folders[0])


class GoldenFile(pytest.File):
    """The file of one golden test."""

    def collect(self) -> Iterator["GoldenItem"]:
        """The test, once the configuration is loaded."""
        from fastmllp_engine.graph import ConfigurationError, GoldenTest

        folder, name = self.path.parents[2], self.path.parent.name
        try:
            registry = _loaded(self.config, folder).registry
        except ConfigurationError as error:
            raise self.CollectError(str(error)) from None
        if name not in registry.inbounds:
            raise self.CollectError(f'golden tests of "{name}", which is no inbound')
        test = GoldenTest(folder, registry, registry.inbounds[name], self.path)
        yield GoldenItem.from_parent(self, name="golden", test=test)


class GoldenItem(pytest.Item):
    """One golden test. It runs twice: a function that is not pure fails it."""

    def __init__(self, *, test: "GoldenTest", **others: object) -> None:
        super().__init__(**others)  # type: ignore[arg-type]
        self._test = test

    def runtest(self) -> None:
        """Compare what is sent with what is expected."""
        wrong = [found.text for found in self._test.run(twice=True)]
        if wrong:
            raise Differs("\n".join(wrong))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """What differs, without a traceback of this package."""
        if isinstance(excinfo.value, Differs):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """How the item is called."""
        return self.path, None, f"{self.path.parent.name}/{self.path.name}"


class Differs(Exception):
    """A golden test has failed."""


def _folders(config: pytest.Config) -> list[Path]:
    return [Path(path).absolute() for path in config.getini("fastmllp_feeds")]


def _loaded(config: pytest.Config, folder: Path) -> "Feeds":
    """A configuration, loaded once for all of its tests."""
    from fastmllp_engine.testing.feeds import Feeds

    loaded = config.stash.setdefault(LOADED, {})
    if folder not in loaded:
        loaded[folder] = Feeds(folder, config.getini("fastmllp_environment") or None)
    return loaded[folder]

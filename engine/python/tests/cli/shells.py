"""Commands beside an engine that runs in the process of the tests."""

import json
from typing import Any

import pytest
from fastmllp_engine.cli import main
from running_engines import Feed, until


class Shell:
    """Runs commands in this process, and keeps what they print."""

    def __init__(self, feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
        self.feed = feed
        self.out, self.error = "", ""
        self._capsys = capsys

    def __call__(self, *arguments: str) -> int:
        self._capsys.readouterr()
        try:
            status = main([*arguments, "--data", str(self.feed.data)])
        except SystemExit as ended:
            status = int(str(ended.code))
        self.out, self.error = self._capsys.readouterr()
        return status

    def json(self, *arguments: str) -> Any:
        self(*arguments, "--json")
        return json.loads(self.out)

    def disposition(self, number: int, wanted: str) -> None:
        until(lambda: self.feed.engine.why(number).message.disposition, lambda it: it == wanted)

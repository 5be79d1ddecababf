"""Asks a running engine: HTTP over the socket in its data folder, with the standard library."""

import http.client
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastmllp_engine.api import door
from fastmllp_engine.api.door import Closed

TIMEOUT_SECONDS = 30.0
"""For an answer. An engine that has just started imports its API first."""

Query = Mapping[str, str | int | None | Sequence[str]]


class Refused(Exception):
    """The engine says no. `exit_status` is that of the command."""

    def __init__(self, text: str, exit_status: int) -> None:
        self.text = text
        self.exit_status = exit_status
        super().__init__(text)


class Client:
    """One engine, by its data folder. Each request has a connection of its own.

    Raises:
        Closed: from every method: the engine cannot be reached, or ends before it answers.
        Refused: from every method: the engine says no.
    """

    def __init__(self, data: Path, timeout: float = TIMEOUT_SECONDS) -> None:
        self._data = data
        self._timeout = timeout

    def get(self, path: str, query: Query | None = None) -> Any:
        """What a GET answers, read from JSON."""
        return json.loads(self._ask("GET", path + _query(query or {})))

    def get_bytes(self, path: str) -> bytes:
        """What a GET answers, as it is."""
        return self._ask("GET", path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a POST answers, read from JSON; None if it answers nothing."""
        # In a locale without a character set an argument has its bytes in place of characters.
        text = json.dumps(body or {}, ensure_ascii=False)
        answer = self._ask("POST", path, text.encode("utf-8", "surrogateescape"))
        return json.loads(answer) if answer else None

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = _Connection(self._data, self._timeout)
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError:
            raise Closed(f"the engine has not answered within {self._timeout:g} s") from None
        except (OSError, http.client.HTTPException):
            raise Closed("the engine has ended before it answered") from None
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(_detail(answer), _exit_status(response.status))
        return answer


class _Connection(http.client.HTTPConnection):
    """HTTP over the socket in a data folder."""

    def __init__(self, data: Path, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._data = data
        self.sock: socket.socket | None = None

    def connect(self) -> None:
        self.sock = door.connect(self._data, self.timeout or TIMEOUT_SECONDS)


def in_path(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="", errors="surrogateescape")


def _query(query: Query) -> str:
    given = {name: value for name, value in query.items() if value not in (None, [], ())}
    return "?" + urlencode(given, doseq=True, errors="surrogateescape") if given else ""


def _exit_status(status: int) -> int:
    """404 and 409 are negative answers, 422 is wrong usage, 503 an engine that ends."""
    return {422: 2, 503: 3}.get(status, 1)


def _detail(answer: bytes) -> str:
    try:
        detail = json.loads(answer)["detail"]
    except (ValueError, KeyError, TypeError):
        return "the engine could not answer"
    if isinstance(detail, list):
        return "; ".join(
            f"{'.'.join(str(one) for one in it['loc'][1:])}: {it['msg']}" for it in detail
        )
    return str(detail)

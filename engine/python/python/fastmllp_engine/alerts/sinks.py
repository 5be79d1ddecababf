"""Where notices go: a program, an address of the web, a mailbox.

Each has a thread of its own, a queue that is bounded, and a time limit. One that hangs delays
neither the engine nor the others.
"""

import contextlib
import json
import queue
import smtplib
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from fastmllp_engine._native import log_line
from fastmllp_engine.alerts.episodes import Notice
from fastmllp_engine.graph.settings import AlertSettings

QUEUED = 256
"""Notices that wait for one sink; the oldest goes if there are more."""
ATTEMPTS = 4
FIRST_WAIT = 2.0
"""Seconds before the second attempt; it doubles."""


def as_json(notice: Notice, engine: str) -> dict[str, Any]:
    """A notice, as programs get it."""
    episode = notice.episode
    return {
        "alert": "begins" if notice.begins else "ends",
        "kind": str(episode.kind),
        "connection": episode.connection,
        "text": episode.text,
        "since": _moment(episode.since),
        "at": _moment(notice.at),
        "engine": engine,
        "host": socket.gethostname(),
    }


def as_line(notice: Notice) -> str:
    """A notice, as people get it."""
    episode = notice.episode
    what = f"{episode.kind}: {episode.text}"
    return what if notice.begins else f"over since {_moment(notice.at)}: {what}"


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat().replace("+00:00", "Z")


class Sink:
    """Sends notices, one after the other."""

    def __init__(self, name: str, send: Callable[[Notice], None]) -> None:
        self.name = name
        self.failed = 0
        """Notices that could not be sent."""
        self.trouble: str | None = None
        """Why the last one was not, if it was not."""
        self._send = send
        self._waiting: queue.Queue[Notice | None] = queue.Queue(QUEUED)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alert-{name}", daemon=True)
        self._thread.start()

    def tell(self, notice: Notice) -> None:
        """Take a notice. Never waits."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(notice)
            return
        # The newest say how things are.
        with contextlib.suppress(queue.Empty):
            self._waiting.get_nowait()
            self.failed += 1
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(notice)

    def close(self, seconds: float) -> None:
        """Send what waits, if that takes no longer."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._closing.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while (notice := self._waiting.get()) is not None:
            self._deliver(notice)

    def _deliver(self, notice: Notice) -> None:
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._send(notice)
            except Exception as error:
                trouble = describe(error)
            else:
                self.trouble = None
                return
            if self.trouble is None:
                log_line("warn", "", f"alerts do not reach {self.name}: {trouble}")
            self.trouble = trouble
            if attempt == ATTEMPTS or self._closing.is_set():
                break
            self._closing.wait(wait)
            wait *= 2
        self.failed += 1


def describe(error: Exception) -> str:
    """What went wrong, without an address or a password that the text of an error may hold."""
    match error:
        case urllib.error.HTTPError():
            return f"HTTP {error.code}"
        case subprocess.CalledProcessError():
            return f"the program has ended with {error.returncode}"
        case subprocess.TimeoutExpired() | TimeoutError():
            return "it took too long"
        case urllib.error.URLError(reason=OSError() as reason):
            return describe(reason)
        case OSError() if error.strerror:
            return error.strerror
    return type(error).__name__


def sinks(settings: AlertSettings, engine: str) -> Iterator[Sink]:
    """The sinks that a configuration has.

    Args:
        settings: The section ``[alerts]``.
        engine: What the engine is called in notices.
    """
    if settings.command:
        yield Sink("the command", lambda it: _run_command(settings, as_json(it, engine)))
    if settings.webhook:
        yield Sink("the webhook", lambda it: _post(settings, as_json(it, engine)))
    if settings.email_to:
        yield Sink("the mailbox", lambda it: _mail(settings, as_json(it, engine)))


def _run_command(settings: AlertSettings, notice: dict[str, Any]) -> None:
    subprocess.run(
        list(settings.command),
        input=json.dumps(notice).encode() + b"\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=settings.timeout_seconds,
        check=True,
    )


def _post(settings: AlertSettings, notice: dict[str, Any]) -> None:
    assert settings.webhook
    request = urllib.request.Request(
        settings.webhook,
        json.dumps(notice).encode(),
        {"Content-Type": "application/json", "User-Agent": "fastmllp-engine"},
    )
    # `check` has seen that it is http or https.
    opener = urllib.request.build_opener(_NoRedirects)
    with opener.open(request, timeout=settings.timeout_seconds) as answer:
        answer.read(1)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would be followed without the alert, as a request for a page."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Unreached(OSError):
    """Some of the mailboxes were refused."""

    strerror = "a mailbox is refused"


def _mail(settings: AlertSettings, notice: dict[str, Any]) -> None:
    message = EmailMessage()
    state = "" if notice["alert"] == "begins" else "over: "
    about = notice["connection"] or notice["engine"] or "the engine"
    message["Subject"] = f"[fastmllp] {state}{about} {notice['kind']}"
    message["From"] = settings.email_from
    message["To"] = ", ".join(settings.email_to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=notice["host"] or "localhost")
    message.set_content("".join(f"{key}: {value}\n" for key, value in notice.items()))
    timeout = settings.timeout_seconds
    host, port = settings.smtp_host, settings.smtp_port
    assert host
    if settings.smtp_security == "tls":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password or "")
        refused = server.send_message(message)
    if refused:
        raise _Unreached

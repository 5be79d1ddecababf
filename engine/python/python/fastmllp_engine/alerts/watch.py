"""The watch over a running engine: it looks, and tells what has begun and what is over."""

import json
import os
import threading
import time
from dataclasses import asdict
from pathlib import Path

from fastmllp_engine._native import EngineError, log_line
from fastmllp_engine.alerts.conditions import Condition, Kind, conditions, ending
from fastmllp_engine.alerts.episodes import Episode, Episodes, Notice
from fastmllp_engine.alerts.sinks import Sink, as_line, sinks
from fastmllp_engine.graph.folder import name_of
from fastmllp_engine.runtime import Running

LOOK_SECONDS = 2.0
CLOSE_SECONDS = 3.0
"""How long notices that wait may take at the end."""
FILE = "alerts.json"
"""In the data folder: of what people were told that it began."""


class Watch:
    """Watches an engine in a thread of its own until it is closed."""

    def __init__(self, running: Running, look_seconds: float = LOOK_SECONDS) -> None:
        self._running = running
        self._look_seconds = look_seconds
        self._file = running.data / FILE
        self._settings = running.registry.settings.alerts
        self._sinks = self._made()
        self._errors: dict[str, int] = {}
        self._episodes = Episodes.resumed(_kept(self._file), time.monotonic())
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    @property
    def active(self) -> list[Episode]:
        """What is wrong, and of what people were told."""
        return self._episodes.active

    @property
    def troubles(self) -> list[str]:
        """Sinks that notices do not reach, a text for each."""
        return [f"alerts do not reach {it.name}: {it.trouble}" for it in self._sinks if it.trouble]

    def close(self) -> None:
        """End it, once what waits to be told is told, or after three seconds."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        if self._running.engine.has_ended():
            text = "the store has come to its end, and the engine with it"
            now = time.time_ns() // 1_000_000
            self._tell(Notice(Episode(Kind.STORE, "", text, now), begins=True, at=now))
        self._close_sinks()

    def _made(self) -> list[Sink]:
        return list(sinks(self._settings, name_of(self._running.folder)))

    def _close_sinks(self) -> None:
        end = time.monotonic() + CLOSE_SECONDS
        for sink in self._sinks:
            sink.close(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        failing = False
        while not self._closing.wait(self._look_seconds):
            try:
                self._look()
                failing = False
            except EngineError:
                # It stops, or has ended, or is between two graphs.
                continue
            except Exception as error:
                if not failing:
                    log_line("error", "", f"alerts cannot be looked for: {type(error).__name__}")
                failing = True

    def _look(self) -> None:
        if self._running.is_stopping:
            return
        if self._settings != self._running.registry.settings.alerts:
            self._settings = self._running.registry.settings.alerts
            self._close_sinks()
            self._sinks = self._made()
        found = list(self._conditions())
        notices = self._episodes.look(found, time.monotonic(), time.time_ns() // 1_000_000)
        if not notices:
            return
        for notice in notices:
            self._tell(notice)
        self._keep()

    def _conditions(self) -> list[Condition]:
        engine, registry = self._running.engine, self._running.registry
        status = engine.status()
        failed = {}
        for lane in status.lanes:
            name = f"{lane.stage} {lane.name}"
            # A reload begins to count again.
            failed[name] = max(0, lane.ended_in_error - self._errors.get(name, 0))
            self._errors[name] = lane.ended_in_error
        found = list(conditions(status, engine.retention_doubt(), registry, failed))
        now = time.time_ns() // 1_000_000
        return [*found, *ending(engine.certificates(), now, registry)]

    def _tell(self, notice: Notice) -> None:
        level = "warn" if notice.begins else "info"
        log_line(level, notice.episode.connection, f"alert {as_line(notice)}")  # type: ignore[arg-type]
        for sink in self._sinks:
            sink.tell(notice)

    def _keep(self) -> None:
        """Write down what people were told. A disk without room only costs a second notice."""
        text = json.dumps([asdict(it) for it in self.active], indent=2) + "\n"
        written = self._file.with_suffix(".new")
        try:
            written.write_text(text, encoding="utf-8")
            os.replace(written, self._file)
        except OSError as error:
            log_line("warn", "", f"{FILE} cannot be written: {error.strerror}")


def _kept(file: Path) -> list[Episode]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return [
            Episode(Kind(it["kind"]), it["connection"], it["text"], it["since"]) for it in found
        ]
    except (OSError, ValueError, TypeError, KeyError):
        # There is none, or it is not ours: then people are told once more.
        return []

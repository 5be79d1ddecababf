"""``python -m fastmllp_engine.workers.connection FOLDER DATA LIFE [ENVIRONMENT]``.

The engine starts this for each connection whose connector is written in Python. The process loads
the configuration like a worker, and runs that one connection until the engine wants its end.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from fastmllp_engine import _native
from fastmllp_engine.connectors import (
    Connection,
    Connector,
    DeliveryFailed,
    Intake,
    NotStored,
    Receipt,
    Receiver,
    Sender,
    Transport,
)
from fastmllp_engine.graph import ConfigurationError, Registry, explainer, load

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Seconds until a partner that cannot be reached is tried again: they double from the first."""
CONNECTIONS = "connections"
"""The folder of the data that has one for each connection."""

Explain = Callable[[BaseException], str]


def serve(folder: str, data: str, life: str, environment: str | None) -> int:
    """Run a connection.

    Args:
        folder: The configuration: a snapshot, which is never edited.
        data: The engine's data.
        life: Of the engine that has started this.
        environment: Which environment the configuration is loaded with.

    Returns:
        The exit status: 0 when the engine wanted the end, or knows why nothing runs; 1 otherwise.
    """
    try:
        engine = _native.Connector()
    except OSError as error:
        print(f"{__name__}: {error}", file=sys.stderr)
        return 1
    # Control-C at a terminal goes to every process there; the engine decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    explain = _explainer(folder)
    try:
        own = Path(data) / CONNECTIONS / engine.connection
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = Connection(engine.connection, own, life)
        half = half_of(load(folder, environment), connection, engine.is_inbound)
    except BaseException as error:
        is_known = isinstance(error, ConfigurationError)
        engine.refuse(str(error) if is_known else explain(error))
        return 0
    engine.hello()
    try:
        if isinstance(half, Receiver):
            half.run(_Intake(engine))
        else:
            deliver(engine, half, explain)
    except BaseException as error:
        # If the engine is gone, nobody is there to be told.
        with contextlib.suppress(OSError):
            engine.note("error", f"the connector has ended: {explain(error)}")
        return 1
    return 0


def half_of(registry: Registry, connection: Connection, is_inbound: bool) -> Receiver | Sender:
    """What a connection runs."""
    if is_inbound:
        spec = registry.inbounds[connection.name].spec
        assert isinstance(spec, Connector)
        return spec.receiver(connection)
    spec = registry.outbounds[connection.name].spec
    assert isinstance(spec, Connector)
    return spec.sender(connection)


class _Intake(Intake):
    """The engine, as a receiver sees it."""

    def __init__(self, engine: "_native.Connector") -> None:
        self._engine = engine

    def submit(self, payload: bytes | Iterable[bytes]) -> Receipt:
        try:
            if isinstance(payload, bytes):
                made = self._engine.submit(payload)
            else:
                made = self._engine.submit_parts(payload)
        except _native.NotStored as error:
            raise NotStored(str(error)) from None
        return Receipt(made.message, made.outcome)

    def wait(self, seconds: float) -> bool:
        return self._engine.wait(seconds)

    def say(self, note: str) -> None:
        self._engine.note("warn", note)


def deliver(engine: "_native.Connector", sender: Sender, explain: Explain) -> None:
    """Connect, and send until the engine wants the end."""
    while _connect(engine, sender, explain):
        while True:
            delivery = engine.next_delivery()
            if delivery is None:
                return
            try:
                note = sender.send(delivery)
            except DeliveryFailed as failed:
                delivery.failed(failed.failure, str(failed))
                if not isinstance(failed, Transport):
                    continue
                lost = str(failed)
            except Exception as error:
                lost = explain(error)
                delivery.failed("transport", lost)
            else:
                delivery.delivered(note or "")
                continue
            engine.not_ready(lost)
            break


def _connect(engine: "_native.Connector", sender: Sender, explain: Explain) -> bool:
    """Reach the partner, however long it takes. False: the connection has to end."""
    seconds = FIRST_WAIT
    while True:
        try:
            sender.connect()
        except Exception as error:
            engine.not_ready(str(error) if isinstance(error, DeliveryFailed) else explain(error))
        else:
            engine.ready()
            return True
        if not engine.wait(seconds):
            return False
        seconds = min(2 * seconds, LONGEST_WAIT)


def _explainer(folder: str) -> Explain:
    """Explains exceptions without their texts, which may hold a piece of a message."""
    of_configuration = explainer(folder)

    def explain(error: BaseException) -> str:
        note, _ = of_configuration(error)
        if isinstance(error, OSError) and error.errno:
            return f"{note}: {os.strerror(error.errno)}"
        trace = error.__traceback__
        if " at " in note or trace is None:
            return note
        while trace.tb_next is not None:
            trace = trace.tb_next
        module = trace.tb_frame.f_globals.get("__name__", "?")
        return f"{note} at {module}:{trace.tb_lineno} in {trace.tb_frame.f_code.co_name}"

    return explain


if __name__ == "__main__":
    folder, data, life, *environment = sys.argv[1:]
    status = serve(folder, data, life, environment[0] if environment else None)
    # Without the interpreter's own end: it would wait for threads that a connector has left behind.
    os._exit(status)

"""What the engine is told of connections whose connectors are written in Python."""

import sys
from pathlib import Path
from typing import Any

from fastmllp_engine.connectors import File, Timer
from fastmllp_engine.graph import Inbound, Outbound, Registry, RetryPolicy
from fastmllp_engine.runtime.connecting import MODULE, Program


class Builder:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[Any, ...]] = {}

    def inbound_by(self, name: str, *given: Any, **options: Any) -> None:
        self.told[name] = (*given, options)

    def outbound_by(self, name: str, *given: Any, **options: Any) -> None:
        self.told[name] = (*given, options)


def told(*connections: Inbound | Outbound) -> dict[str, tuple[Any, ...]]:
    registry = Registry(environment="prod", hash="9c41e02")
    builder: Any = Builder()
    program = Program(registry, Path("/data"), "life")
    for one in connections:
        assert isinstance(one.spec, File | Timer)
        if isinstance(one, Inbound):
            program.add_inbound(builder, one, one.spec)
        else:
            program.add_outbound(builder, one, one.spec)
    return dict(builder.told)


ARGUMENTS = ["-P", "-m", MODULE, "/data/configurations/9c41e02", "/data", "life", "prod"]


def test_an_inbound_is_a_program_with_what_it_says() -> None:
    one = Inbound(
        "IB",
        File(directory="/in", max_file_bytes=7, timeout_seconds=3),
        router="adt",
        content_type="text",
        on_full="wait",
        index=["PID-3.1"],
        ack_after="delivered",
        ack_timeout_seconds=9,
        bodies_days=3,
    )
    router, program, arguments, options = told(one)["IB"]
    assert (router, program, arguments) == ("adt", sys.executable, ARGUMENTS)
    assert options == {
        "timeout_seconds": 3,
        "hl7": False,
        "max_message_bytes": 7,
        "ack_after_delivery_seconds": 9,
        "deduplicate": True,
        "on_full": "wait",
        "index": ["PID-3.1"],
        "keep_days": (3, 400, 90),
    }


def test_ticks_of_a_timer_are_no_duplicates() -> None:
    timer = Timer(body="MSH|", interval_seconds=1)
    made = told(
        Inbound("IB", timer, router="adt"),
        Inbound("IB_FILES", File(directory="/in"), router="adt"),
        Inbound("IB_ALL", File(directory="/in"), router="adt", deduplicate=False),
    )
    assert [options["deduplicate"] for *_, options in made.values()] == [False, True, False]
    assert [options["hl7"] for *_, options in made.values()] == [True, True, True]


def test_an_outbound_is_a_program_with_what_it_says() -> None:
    retry = RetryPolicy(max_attempts="forever", backoff_seconds=1, max_backoff_seconds=2)
    spec = File(directory="/out", timeout_seconds=5)
    one = Outbound("OB", spec, key="PID-3.1", window=4, retry=retry, then="held")
    program, arguments, options = told(one)["OB"]
    assert (program, arguments) == (sys.executable, ARGUMENTS)
    assert options == {
        "timeout_seconds": 5,
        "window": 4,
        "ordering": "key",
        "key": ["PID-3.1"],
        "max_attempts": None,
        "retry_forever": True,
        "backoff_seconds": 1,
        "backoff_multiplier": 2,
        "max_backoff_seconds": 2,
        "give_up_after_seconds": None,
        "give_up_only_connected": False,
        "then": "hold",
    }

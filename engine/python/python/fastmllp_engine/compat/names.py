"""What a module that imports ``messagefoundry`` gets for it."""

from typing import Any

from fastmllp_engine.compat.declaring import (
    active_window,
    env,
    inbound,
    outbound,
    retry_policy,
    schedule,
    spec,
)
from fastmllp_engine.compat.functions import Send, current_ingest_time, handler, router
from fastmllp_engine.compat.message import Message, RawMessage
from fastmllp_engine.compat.table import what_of_name
from fastmllp_engine.graph import (
    AckAfter,
    AckMode,
    ContentType,
    OrderingMode,
    current_environment,
    message_type_of,
)
from fastmllp_engine.graph.code_sets import CodeSet, code_set

MLLP = spec("MLLP")
Tcp = spec("Tcp")
File = spec("File")
Timer = spec("Timer")
Loopback = spec("Loopback")
PassThrough = spec("PassThrough")
RetryPolicy = retry_policy
ActiveWindow = active_window
Schedule = schedule

__all__ = [
    "MLLP",
    "AckAfter",
    "AckMode",
    "ActiveWindow",
    "CodeSet",
    "ContentType",
    "File",
    "Loopback",
    "Message",
    "OrderingMode",
    "PassThrough",
    "RawMessage",
    "RetryPolicy",
    "Schedule",
    "Send",
    "Tcp",
    "Timer",
    "code_set",
    "current_environment",
    "current_ingest_time",
    "env",
    "handler",
    "inbound",
    "message_type_of",
    "outbound",
    "router",
]


def __getattr__(name: str) -> Any:
    row = what_of_name(name)
    raise AttributeError(f'messagefoundry: "{name}": {row.refused}' if row else name)

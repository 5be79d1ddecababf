"""The graph: what an integration engineer writes, and the `Registry` that is loaded from it."""

from fastmllp_engine._native import Send
from fastmllp_engine.graph.check import Report, check
from fastmllp_engine.graph.code_sets import CodeSet, OnMiss, code_set
from fastmllp_engine.graph.connections import Inbound, Outbound, inbound, outbound
from fastmllp_engine.graph.difference import difference
from fastmllp_engine.graph.environment import current_environment, env
from fastmllp_engine.graph.explain import explainer
from fastmllp_engine.graph.findings import ConfigurationError, Finding, Place
from fastmllp_engine.graph.folder import Folder, read_folder
from fastmllp_engine.graph.functions import (
    Handler,
    MessageTypes,
    Router,
    handler,
    message_type_of,
    router,
)
from fastmllp_engine.graph.golden import GoldenTest
from fastmllp_engine.graph.init import init
from fastmllp_engine.graph.loader import load
from fastmllp_engine.graph.options import (
    AckAfter,
    AckMode,
    AckPolicy,
    Closed,
    ContentType,
    OnFull,
    OrderingMode,
    RetryPolicy,
    Then,
)
from fastmllp_engine.graph.picture import as_json, as_mermaid, as_text
from fastmllp_engine.graph.registry import Registry
from fastmllp_engine.graph.running import Run, Sent, functions_of, run, second_run_differs
from fastmllp_engine.graph.schedules import ActiveWindow, Schedule
from fastmllp_engine.graph.settings import Settings
from fastmllp_engine.graph.snapshot import snapshot
from fastmllp_engine.graph.spec import Spec
from fastmllp_engine.graph.svg import as_svg

__all__ = [
    "AckAfter",
    "AckMode",
    "AckPolicy",
    "ActiveWindow",
    "Closed",
    "CodeSet",
    "ConfigurationError",
    "ContentType",
    "Folder",
    "Finding",
    "Handler",
    "Inbound",
    "MessageTypes",
    "OnFull",
    "OnMiss",
    "OrderingMode",
    "Outbound",
    "Place",
    "Registry",
    "Report",
    "RetryPolicy",
    "Router",
    "Schedule",
    "Run",
    "Send",
    "Sent",
    "Settings",
    "Spec",
    "Then",
    "as_json",
    "as_mermaid",
    "as_svg",
    "as_text",
    "GoldenTest",
    "check",
    "code_set",
    "current_environment",
    "difference",
    "env",
    "explainer",
    "functions_of",
    "handler",
    "inbound",
    "init",
    "load",
    "message_type_of",
    "outbound",
    "read_folder",
    "router",
    "run",
    "second_run_differs",
    "snapshot",
]

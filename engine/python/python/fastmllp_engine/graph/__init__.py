"""The graph: what an integration engineer writes, and the `Registry` that is loaded from it."""

from fastmllp_engine.graph.connections import Inbound, Outbound, inbound, outbound
from fastmllp_engine.graph.environment import current_environment, env
from fastmllp_engine.graph.findings import ConfigurationError, Finding, Place
from fastmllp_engine.graph.functions import (
    Handler,
    MessageTypes,
    Router,
    handler,
    message_type_of,
    router,
)
from fastmllp_engine.graph.loader import load
from fastmllp_engine.graph.options import (
    AckAfter,
    AckMode,
    AckPolicy,
    ContentType,
    OnFull,
    OrderingMode,
    RetryPolicy,
    Then,
)
from fastmllp_engine.graph.registry import Registry
from fastmllp_engine.graph.send import Send
from fastmllp_engine.graph.settings import Settings
from fastmllp_engine.graph.spec import Spec

__all__ = [
    "AckAfter",
    "AckMode",
    "AckPolicy",
    "ConfigurationError",
    "ContentType",
    "Finding",
    "Handler",
    "Inbound",
    "MessageTypes",
    "OnFull",
    "OrderingMode",
    "Outbound",
    "Place",
    "Registry",
    "RetryPolicy",
    "Router",
    "Send",
    "Settings",
    "Spec",
    "Then",
    "current_environment",
    "env",
    "handler",
    "inbound",
    "load",
    "message_type_of",
    "outbound",
    "router",
]

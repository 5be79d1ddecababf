"""A checked graph at work: the only room that knows the graph, the connectors and the engine."""

from fastmllp_engine.runtime.building import build
from fastmllp_engine.runtime.running import Running
from fastmllp_engine.runtime.serving import Wakes, serve

__all__ = ["Running", "Wakes", "build", "serve"]

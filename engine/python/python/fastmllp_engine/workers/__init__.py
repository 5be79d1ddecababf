"""The processes that run routers and handlers.

The engine starts ``python -m fastmllp_engine.workers`` for each of them. `serve` is what that does.
"""

from fastmllp_engine.workers.loop import serve

__all__ = ["serve"]

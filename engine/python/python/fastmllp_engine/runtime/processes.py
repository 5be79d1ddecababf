"""Routers and handlers in worker processes: what hangs or dies harms its message alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastmllp_engine.graph import Registry
from fastmllp_engine.runtime.building import Functions
from fastmllp_engine.runtime.connecting import copy_of
from fastmllp_engine.runtime.threads import in_threads

if TYPE_CHECKING:
    from fastmllp_engine._native import Builder

MODULE = "fastmllp_engine.workers"


def in_processes(data: Path) -> Functions:
    """Gives a builder the routers and handlers of a graph, to be run by processes.

    They load the copy of the configuration that is kept in the data folder. With ``[workers]
    count = 0`` the functions run in threads.
    """

    def give(builder: "Builder", registry: Registry) -> None:
        workers = registry.settings.workers
        if workers.count == 0 or not (registry.routers or registry.handlers):
            in_threads(builder, registry)
            return
        for router in registry.routers:
            builder.router_in_worker(router)
        for handler in registry.handlers:
            builder.handler_in_worker(handler)
        folder = copy_of(registry, data)
        environment = [registry.environment] if registry.environment else []
        builder.worker_program(
            sys.executable,
            ["-P", "-m", MODULE, str(folder), *environment],
            processes=workers.count,
            handler_timeout_seconds=workers.handler_timeout_seconds,
        )

    return give

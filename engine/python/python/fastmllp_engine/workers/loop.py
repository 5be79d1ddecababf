"""What a worker process does from its first line to its last.

Standard input and output belong to the engine, so they are taken away before any file of the
configuration runs. After that the process answers calls until the engine ends it.
"""

import gc
import signal
import sys

from fastmllp_engine._native import Worker
from fastmllp_engine.graph import ConfigurationError, explainer, functions_of, load


def serve(folder: str, environment: str | None) -> int:
    """Run the routers and handlers of a configuration for the engine.

    Args:
        folder: The configuration: a snapshot, which is never edited.
        environment: Which environment it is loaded with.

    Returns:
        The exit status: 0 when the engine wanted the end, or has been told why there is nothing to
        run; 1 when the engine is gone.
    """
    try:
        worker = Worker()
    except OSError as error:
        print(f"fastmllp_engine.workers: {error}", file=sys.stderr)
        return 1
    # Control-C at a terminal goes to every process there; the engine decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    explain = explainer(folder)
    try:
        registry = load(folder, environment)
    except BaseException as error:
        worker.refuse(_reason(error, explain(error)[0]))
        return 0
    # What is loaded stays: a collection in the middle of a message need not look at it.
    gc.collect()
    gc.freeze()
    try:
        worker.run(functions_of(registry))
    except OSError:
        return 1
    return 0


def _reason(error: BaseException, note: str) -> str:
    """Why there is nothing to run: what is wrong with the configuration, or where it failed."""
    return str(error) if isinstance(error, ConfigurationError) else note

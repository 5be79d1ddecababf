"""The command line: ``fastmllp-engine`` and ``python -m fastmllp_engine``."""

from fastmllp_engine.cli.main import main

__all__ = ["main"]

"""What handlers return."""

from fastmllp_engine._native import Send

__all__ = ["Send"]

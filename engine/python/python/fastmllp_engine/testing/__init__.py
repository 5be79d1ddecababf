"""What tests of a configuration need: messages that no patient has sent."""

from fastmllp_engine.testing.hospital import TYPES, generate

__all__ = ["TYPES", "generate"]

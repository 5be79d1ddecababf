"""Servers and the load generator, measured in turn."""

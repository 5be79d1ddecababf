"""The native module: see `engine/python/src`."""

"""For type checkers: the old path of `fastmllp.testing.pytest_plugin`, see `fastmllp.old_paths`."""

from fastmllp.testing.pytest_plugin import *

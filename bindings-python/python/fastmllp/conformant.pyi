"""For type checkers: the old path of `fastmllp.serving.conformant`, see `fastmllp.old_paths`."""

from fastmllp.serving.conformant import *

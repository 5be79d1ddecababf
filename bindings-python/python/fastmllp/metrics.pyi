"""For type checkers: the old path of `fastmllp.serving.metrics`, see `fastmllp.old_paths`."""

from fastmllp.serving.metrics import *

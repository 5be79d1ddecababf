"""For type checkers: the old path of `fastmllp.serving.handler`, see `fastmllp.old_paths`."""

from fastmllp.serving.handler import *

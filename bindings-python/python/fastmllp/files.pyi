"""For type checkers: the old path of `fastmllp.hl7.files`, see `fastmllp.old_paths`."""

from fastmllp.hl7.files import *

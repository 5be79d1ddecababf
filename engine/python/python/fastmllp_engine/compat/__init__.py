"""Feeds that were written for MessageFoundry, loaded where ``[compat] messagefoundry = true``.

Their modules import the names of that package: they get those of `fastmllp_engine.compat.names`,
which behave alike or are refused with the line where they stand. What is alike, what differs and
what is refused is one table, ``messagefoundry.toml``, which the load, ``check``, ``import`` and the
documentation read.
"""

from fastmllp_engine.compat.declaring import FACTORIES, inbound, outbound, spec
from fastmllp_engine.compat.table import PACKAGE, Row, row, section, what_of_name

MODULE = "fastmllp_engine.compat.names"
"""What modules get for the package."""

__all__ = [
    "FACTORIES",
    "MODULE",
    "PACKAGE",
    "Row",
    "inbound",
    "outbound",
    "row",
    "section",
    "spec",
    "what_of_name",
]

"""A server for the tests of programs that send: it records what comes, and answers as it is told.

`MockServer` works with every test runner. For pytest, installing this package is enough: the
fixture ``mllp_server`` is one, new for each test.

Framing and acknowledgments are those of the package itself, so a program that gets along with this
server does so with `fastmllp.Server`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastmllp.testing.mock_server import Answer, Messages, MockServer, Script

__all__ = ["Answer", "Messages", "MockServer", "Script"]


def __getattr__(name: str) -> Any:
    # Not before a name is asked for: pytest loads the plugin that is in this package, and most of
    # its runs on a machine have nothing to do with MLLP.
    if name in __all__:
        from fastmllp.testing import mock_server

        return getattr(mock_server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

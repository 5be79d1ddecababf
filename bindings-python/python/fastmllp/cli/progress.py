"""Progress of long work, on a terminal and nowhere else.

A bar where the package rich is installed (``pip install "fastmllp[cli]"``), plain lines where not.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from fastmllp.cli.output import write

_LINE_SECONDS = 2.0

Advance = Callable[[], None]
"""Called when one more piece of the work is done."""


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show on standard error how much of some work is done, if that is a terminal.

    Args:
        what: The pieces, such as ``messages``.
        total: How many there are.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    try:
        from rich import progress as rich
        from rich.console import Console
    except ImportError:
        yield _plain_lines(what, total)
        return
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def _plain_lines(what: str, total: int) -> Advance:
    done = 0
    shown_at = time.monotonic()

    def advance() -> None:
        nonlocal done, shown_at
        done += 1
        now = time.monotonic()
        if now - shown_at >= _LINE_SECONDS:
            shown_at = now
            write(sys.stderr, f"{done} of {total} {what}\n")

    return advance

"""An exception without its text.

What an exception says may be a piece of a message, and so may any value in its frames. Neither is
looked at: an operator gets the type and the lines of the configuration's own files.
"""

import os
from collections.abc import Callable
from types import TracebackType

from fastmllp_engine.graph.folder import name_of

_MOST_FRAMES = 50
_MOST_CAUSES = 5


def explainer(folder: str) -> Callable[[BaseException], tuple[str, str]]:
    """Make the function that explains the exceptions of a configuration's functions.

    Args:
        folder: The configuration, whose files are shown.

    Returns:
        A function of an exception. It gives a note, ``ValueError at adt.py:14 in to_lab``, and a
        trace: a line for each call in a file of the configuration, the innermost last, then the
        type of the exception, then the same of the one that it was raised from.
    """
    root = os.path.join(os.path.abspath(folder), "")

    def explain(error: BaseException) -> tuple[str, str]:
        frames = _frames(error.__traceback__, root)
        note = type(error).__name__ + (f" at {frames[-1]}" if frames else "")
        lines: list[str] = []
        one: BaseException | None = error
        for _ in range(_MOST_CAUSES):
            if one is None:
                break
            lines += [*_shortened(_frames(one.__traceback__, root)), _name(type(one))]
            cause = one.__cause__
            one = cause or (None if one.__suppress_context__ else one.__context__)
            if one is not None:
                lines.append("raised from" if cause else "raised while handling")
        return note, "\n".join(lines)

    return explain


def _frames(traceback: TracebackType | None, root: str) -> list[str]:
    """The places in files of the configuration, the innermost last."""
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        # Code that a function makes of text has a name of its own, which may hold anything.
        if code.co_filename.startswith(root):
            name = name_of(code.co_filename.removeprefix(root))
            frames.append(f"{name}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return frames


def _shortened(frames: list[str]) -> list[str]:
    if len(frames) <= _MOST_FRAMES:
        return frames
    half = _MOST_FRAMES // 2
    return [*frames[:half], f"... {len(frames) - 2 * half} more ...", *frames[-half:]]


def _name(kind: type[BaseException]) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )

"""What belongs to an event loop, and is used in another one."""

import asyncio

__all__ = ["other_loop"]


def other_loop(owner: asyncio.AbstractEventLoop | None, what: str) -> bool:
    """Whether what this loop owns must start again: its loop has ended and another one runs.

    What waits for one loop never wakes up in another, so it must not be used there.

    Args:
        owner: The loop that has used it so far; None for none.
        what: Its name, for the error.

    Raises:
        RuntimeError: The other loop still runs.
    """
    if owner is None or owner is asyncio.get_running_loop():
        return False
    if owner.is_running():
        raise RuntimeError(f"this {what} is in use by another event loop, which still runs")
    return True

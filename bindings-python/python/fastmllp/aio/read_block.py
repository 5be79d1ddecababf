"""The memory that asyncio reads into."""

__all__ = ["keep_read_block"]

# asyncio reads into a block of 256 KiB. As long as no larger block was given back, the C library
# gets and returns it by a system call for every read, which costs more than the message.
_SIZE = 300_000


def keep_read_block() -> None:
    """Let the C library keep a block of the size that asyncio reads into."""
    bytes(_SIZE)

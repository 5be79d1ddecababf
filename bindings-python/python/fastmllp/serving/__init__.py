"""What the threaded and the asyncio server share, and the sockets of both sides.

How a message is answered, what the log hears of a connection, its limits, who may connect, and the
counters. Nothing here knows which of the servers it works for.
"""

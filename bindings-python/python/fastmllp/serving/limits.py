"""What a connection may use, whichever server serves it."""

from dataclasses import dataclass

from fastmllp._native import Responder

__all__ = ["ConnectionLimits"]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may use. Times in seconds, 0 for no limit; sizes in payload bytes."""

    timeout: float
    frame_timeout: float
    max_size: int
    profile: str
    scan: str
    policy: str = "always"
    over_limit: str = "close"
    idle_timeout: float | None = None
    """Between frames, where it is not `timeout`."""
    local_time: bool = False
    """Whether acknowledgments tell the local time, with its offset, and not UTC."""

    def new_link(self, now: float) -> Responder:
        """A state machine for a connection that was accepted at `now`.

        Raises:
            ValueError: There is no such profile, scan, policy or way with what is over the limit.
        """
        return Responder(
            now,
            profile=self.profile,
            scan=self.scan,
            max_payload_len=self.max_size,
            policy=self.policy,
            over_limit=self.over_limit,
            idle=self.timeout if self.idle_timeout is None else self.idle_timeout,
            byte=self.timeout,
            send=self.timeout,
            frame=self.frame_timeout,
            local_time=self.local_time,
        )

"""The budgets, and what became of each."""

from dataclasses import dataclass

from measure.figures import Figures
from measure.load import PING_PONG_16, PING_PONG_64, PIPELINES
from measure.package import ClientRates, InProcess
from measure.server import (
    ASYNCIO_FIXED,
    EPOLL,
    FASTMLLP,
    FASTMLLP_LOG,
    FASTMLLP_THREADS,
    LIBMLLP,
    PYTHON_HL7,
    THREAD_FIXED,
)


@dataclass(frozen=True)
class Line:
    """A ratio and its bound.

    Attributes:
        at_least: The bound is a lower one.
        measured: None for what could not be measured.
        why_not: The reason then.
    """

    what: str
    bound: float
    measured: float | None
    at_least: bool = True
    why_not: str = "not measured"

    @property
    def budget(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {self.bound:,g} x"

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return self.why_not
        is_reached = self.measured >= self.bound if self.at_least else self.measured <= self.bound
        return "reached" if is_reached else "missed"


def server_lines(figures: Figures) -> list[Line]:
    """Servers, by rate, processor time, latency and memory."""

    ratio, memory = figures.ratio, figures.memory_ratio
    ours, threads = FASTMLLP, FASTMLLP_THREADS
    fixed = "asyncio fixed answer"
    return [
        Line("C, 64 ping-pong, against C epoll", 0.9, ratio(LIBMLLP, EPOLL, PING_PONG_64)),
        Line("C, 16 x 64, against C epoll", 0.55, ratio(LIBMLLP, EPOLL, PIPELINES)),
        Line(
            f"asyncio, 64 ping-pong, against {fixed}",
            1,
            ratio(ours, ASYNCIO_FIXED, PING_PONG_64),
        ),
        Line(
            "asyncio, 64 ping-pong, against python-hl7", 80, ratio(ours, PYTHON_HL7, PING_PONG_64)
        ),
        Line(f"asyncio, 16 x 64, against {fixed}", 2, ratio(ours, ASYNCIO_FIXED, PIPELINES)),
        Line("asyncio, 16 x 64, against python-hl7", 1000, ratio(ours, PYTHON_HL7, PIPELINES)),
        Line(
            "threads, 16 ping-pong, against threads fixed answer",
            0.8,
            ratio(threads, THREAD_FIXED, PING_PONG_16),
        ),
        Line(
            f"CPU per message, 64 ping-pong, against {fixed}",
            1.1,
            ratio(ours, ASYNCIO_FIXED, PING_PONG_64, lambda load: load.cpu),
            at_least=False,
        ),
        Line(
            "records at INFO, 64 ping-pong, against none",
            0.4,
            ratio(FASTMLLP_LOG, ours, PING_PONG_64),
        ),
        Line("records at INFO, 16 x 64, against none", 0.25, ratio(FASTMLLP_LOG, ours, PIPELINES)),
        Line(
            f"p99, 64 ping-pong, against {fixed}",
            1.2,
            ratio(ours, ASYNCIO_FIXED, PING_PONG_64, lambda load: load.p99),
            at_least=False,
        ),
        Line(
            f"memory per idle connection, against {fixed}",
            2,
            memory(ours, ASYNCIO_FIXED),
            at_least=False,
        ),
        Line(
            "memory per idle connection, threads, against threads fixed answer",
            1.2,
            memory(threads, THREAD_FIXED),
            at_least=False,
        ),
    ]


def client_line(rates: ClientRates) -> Line:
    return Line("client, 1 x 64, against the load generator", 0.5, rates.ratio)


def worker_line(measured: float | None, why_not: str | None) -> Line:
    return Line("two workers, 16 x 64, against one", 1.6, measured, why_not=why_not or "")


def in_process_lines(measured: InProcess) -> list[Line]:
    """Received bytes to framed answers, 64 frames in one call."""
    lines = []
    for message, bound in (("250B", 500), ("ADT", 1500), ("ORU", 5000)):
        faster = measured.times_faster(message, "python_hl7")
        lines.append(Line(f"in process, {message}, against python-hl7", bound, faster))
        faster = measured.times_faster(message, "hand_written")
        lines.append(Line(f"in process, {message}, against hand-written", 6, faster))
    return lines

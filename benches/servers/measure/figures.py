"""Everything that was measured in one run."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from measure.load import ALL, Generator, Load, Shape, WrongAnswerError
from measure.programs import Programs
from measure.server import ALL_SERVERS, NotListeningError, Server

Figure = Callable[[Load], float]


def rate(load: Load) -> float:
    """Messages per second."""
    return load.per_second


@dataclass
class Figures:
    """Loads by server and shape, one for each round; bytes for each idle connection."""

    loads: dict[tuple[Server, Shape], list[Load]] = field(default_factory=lambda: defaultdict(list))
    idle: dict[Server, float] = field(default_factory=dict)
    failed: dict[Server, str] = field(default_factory=dict)

    def value(self, server: Server, shape: Shape, of: Figure = rate) -> float | None:
        """The median; messages per second if nothing else is asked for."""
        values = [of(load) for load in self.loads.get((server, shape), ())]
        return median(values) if values else None

    def ratio(self, server: Server, other: Server, shape: Shape, of: Figure = rate) -> float | None:
        """The median of the ratios within each round."""
        ours, theirs = (self.loads.get((which, shape), ()) for which in (server, other))
        pairs = zip(ours, theirs, strict=False)
        ratios = [of(one) / of(two) for one, two in pairs if of(two) > 0]
        return median(ratios) if ratios else None

    def memory(self, server: Server) -> float | None:
        """Bytes for each idle connection."""
        return self.idle.get(server)

    def memory_ratio(self, server: Server, other: Server) -> float | None:
        one, two = self.memory(server), self.memory(other)
        return one / two if one is not None and two else None

    @contextmanager
    def failing(self, server: Server) -> Iterator[None]:
        """Note that this server failed, and go on with the next."""
        try:
            yield
        except (NotListeningError, WrongAnswerError) as error:
            tell(f"{server.name}: failed: {error}")
            self.failed[server] = str(error)

    @property
    def foreign(self) -> float:
        """Processor time that others took, in percent of one core: the median of all loads."""
        return median(load.foreign for loads in self.loads.values() for load in loads)


def measure(programs: Programs, generator: Generator, rounds: int) -> Figures:
    """Measure every server that is installed.

    For each shape the servers are measured in turn, round after round (A B A B), each time in a
    process of its own: what else the machine does, and where a process happens to lie, falls on all
    of them. A server with a wrong answer is left out from then on, and nothing of it is shown.
    """
    figures = Figures()
    for server in ALL_SERVERS:
        if server.idles and server.is_installed:
            tell(f"memory: {server.name}")
            with figures.failing(server), server.running(programs) as running:
                figures.idle[server] = generator.bytes_per_connection(running)
    for shape in ALL:
        for number in range(rounds):
            tell(f"{shape.name}: round {number + 1} of {rounds}")
            for server in ALL_SERVERS:
                if shape in server.shapes and server.is_installed and server not in figures.failed:
                    with figures.failing(server), server.running(programs) as running:
                        generator.have_a_connection_end(running)
                        figures.loads[server, shape].append(generator.load(running, shape))
    return figures


def tell(progress: str) -> None:
    """Standard output is for the tables."""
    print(progress, file=sys.stderr, flush=True)

"""Every server of ours answers under the load generator, and what that says is understood."""

import os
from dataclasses import replace

import in_process
import pytest
from measure.budgets import Line
from measure.load import Generator, Shape, WrongAnswerError
from measure.package import MESSAGES, client
from measure.programs import Programs, build
from measure.server import ASYNCIO_FIXED, EPOLL, FASTMLLP, OURS, Server

COUNT = 1000
PIPELINES = Shape("4 x 8", 4, 8)
# Ended by the count long before; a slow machine gets its time.
SECONDS = 20.0


@pytest.fixture(scope="module")
def programs() -> Programs:
    return build()


@pytest.fixture
def generator(programs: Programs) -> Generator:
    return Generator(programs.mllpload, SECONDS)


@pytest.mark.parametrize(
    "server",
    [pytest.param(server, id=server.name) for server in OURS],
)
def test_ours_answer_every_message(
    programs: Programs, generator: Generator, server: Server
) -> None:
    if not server.is_installed:
        assert os.environ.get("CI") != "true", f"{server.needs} is not installed"
        pytest.skip(f"{server.needs} is not installed")
    with server.running(programs) as running:
        load = generator.load(running, PIPELINES, most=COUNT)
    assert load.messages >= COUNT
    assert load.per_second > 0
    assert load.p99 > 0


@pytest.mark.parametrize("server", [EPOLL, ASYNCIO_FIXED], ids=lambda server: server.name)
def test_a_fixed_answer_is_no_right_one(
    programs: Programs, generator: Generator, server: Server
) -> None:
    with server.running(programs) as running:
        assert generator.load(running, PIPELINES, most=COUNT).messages >= COUNT
        pretended = replace(running, server=replace(server, answers=True))
        with pytest.raises(WrongAnswerError, match="wrong answers, 0 lost connections"):
            generator.load(pretended, PIPELINES, most=COUNT)


def test_memory_of_idle_connections_is_known(programs: Programs, generator: Generator) -> None:
    with FASTMLLP.running(programs) as running:
        assert generator.bytes_per_connection(running) > 0


def test_the_client_gets_its_replies(programs: Programs) -> None:
    rates = client(programs, Generator(programs.mllpload, 0.2), rounds=1)
    assert rates.ratio > 0


@pytest.mark.parametrize("name", MESSAGES)
def test_every_contestant_answers_in_process(generator: Generator, name: str) -> None:
    for contestant, (work, messages) in in_process.contestants(generator.message(name)).items():
        for _ in range(2):
            in_process.check(contestant, work, messages)


@pytest.mark.parametrize(
    ("measured", "at_least", "verdict"),
    [
        (2.0, True, "reached"),
        (1.9, True, "missed"),
        (2.0, False, "reached"),
        (2.1, False, "missed"),
        (None, True, "not measured"),
    ],
)
def test_verdicts(measured: float | None, at_least: bool, verdict: str) -> None:
    assert Line("a line", 2.0, measured, at_least).verdict == verdict

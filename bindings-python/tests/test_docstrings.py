"""The examples in the documentation of the modules run."""

import doctest
import importlib
import logging

import pytest


@pytest.mark.parametrize(
    "name", ["fastmllp.logging.events", "fastmllp.serving.metrics", "fastmllp.testing.mock_server"]
)
def test_examples(name: str) -> None:
    logger = logging.getLogger("fastmllp")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    try:
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
    assert result.attempted > 0 and result.failed == 0

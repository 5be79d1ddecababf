"""What every route needs: the engine that is asked, by whom, and the answers to what is wrong."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel

from fastmllp_engine.alerts import Watch
from fastmllp_engine.api import door
from fastmllp_engine.runtime import Running


class Refusal(BaseModel):
    """Why a request was not done."""

    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": Refusal, "description": "There is none."},
    409: {"model": Refusal, "description": "The engine refuses it."},
    503: {"model": Refusal, "description": "The engine stops or has ended."},
}


def _running(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


def _peer(request: Request) -> str:
    return door.user(request.state.peer)


def _watch(request: Request) -> Watch | None:
    watch: Watch | None = request.app.state.watch
    return watch


Asked = Annotated[Running, Depends(_running)]
Watched = Annotated[Watch | None, Depends(_watch)]

By = Annotated[str, Depends(_peer)]
"""The operator, for journeys and switches: the user at the other end of the socket."""


def not_found(what: str) -> HTTPException:
    """The answer for something that is not there."""
    return HTTPException(404, f"there is no {what}")

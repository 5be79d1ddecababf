"""What every route needs: the engine that is asked, and the answers that are not the wanted one."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel

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


Asked = Annotated[Running, Depends(_running)]


def not_found(what: str) -> HTTPException:
    """The answer for something that is not there."""
    return HTTPException(404, f"there is no {what}")

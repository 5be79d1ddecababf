"""The store: what is proven of it, and what it deletes."""

from fastapi import APIRouter, HTTPException

from fastmllp_engine.api.asked import REFUSALS, Asked
from fastmllp_engine.records import RetentionRecord, VerifiedRecord, copied

routes = APIRouter(tags=["store"], responses=REFUSALS)


@routes.get("/retention")
def retention(asked: Asked) -> RetentionRecord:
    """Whether what has expired is deleted."""
    return RetentionRecord(asked.engine.retention_doubt())


@routes.post("/retention/confirm", status_code=204)
def confirm(asked: Asked) -> None:
    """Say that the clock is right: what has expired is deleted again."""
    asked.engine.confirm_retention()


@routes.post("/verify")
def verify(asked: Asked) -> VerifiedRecord:
    """Prove from the store that nothing is lost. Other readers wait meanwhile; messages do not."""
    verified = asked.engine.verify()
    if verified is None:
        raise HTTPException(409, "the store is a database with its own means")
    return copied(VerifiedRecord, verified)

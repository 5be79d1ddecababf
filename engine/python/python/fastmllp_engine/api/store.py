"""The store: what is proven of it, and what it deletes."""

from fastapi import APIRouter, HTTPException

from fastmllp_engine.api.asked import REFUSALS, Asked
from fastmllp_engine.api.requests import BackupWanted
from fastmllp_engine.records import (
    BackupRecord,
    BackupStateRecord,
    RetentionRecord,
    VerifiedRecord,
    copied,
)

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


@routes.get("/backup")
def backup_state(asked: Asked) -> BackupStateRecord:
    """How far the backup has come that is being made, and what became of the last one."""
    backups = asked.backups
    progress = backups.progress()
    return BackupStateRecord(
        is_running=progress is not None,
        copied=progress[0] if progress else 0,
        total=progress[1] if progress else 0,
        last=copied(BackupRecord, backups.last) if backups.last else None,
        failure=backups.failure,
    )


@routes.post("/backup")
def back_up(asked: Asked, wanted: BackupWanted) -> BackupRecord:
    """Make a backup while everything goes on. Answers once it is whole and durable."""
    return copied(BackupRecord, asked.backups.make(asked.engine, wanted.to))

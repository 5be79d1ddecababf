"""The read side: what an engine says of itself and its messages, as plain records.

The API answers with them, and the command line prints them. No record has a payload.
"""

from fastmllp_engine.records.copied import copied
from fastmllp_engine.records.given_up import (
    GivenUpGroup,
    GivenUpPage,
    GivenUpRecord,
    GivenUpSummary,
    page_of,
    summary_of,
)
from fastmllp_engine.records.message import (
    AnswerRecord,
    EventRecord,
    ExpiredRecord,
    FoundRecord,
    JourneyRecord,
    MessageRecord,
    ReceiptRecord,
    TraceRecord,
    WhyRecord,
)
from fastmllp_engine.records.proof import (
    BackupRecord,
    BackupStateRecord,
    JobRecord,
    RetentionRecord,
    VerifiedRecord,
)
from fastmllp_engine.records.standing import (
    AlertRecord,
    CertificateRecord,
    ConnectionRecord,
    EngineRecord,
    HealthRecord,
    HoursRecord,
    LaneRecord,
    SettingRecord,
    StatusRecord,
    StoreRecord,
)

__all__ = [
    "AlertRecord",
    "AnswerRecord",
    "BackupRecord",
    "BackupStateRecord",
    "CertificateRecord",
    "ConnectionRecord",
    "EngineRecord",
    "EventRecord",
    "ExpiredRecord",
    "FoundRecord",
    "GivenUpGroup",
    "GivenUpPage",
    "GivenUpRecord",
    "GivenUpSummary",
    "HealthRecord",
    "HoursRecord",
    "JobRecord",
    "JourneyRecord",
    "LaneRecord",
    "MessageRecord",
    "ReceiptRecord",
    "RetentionRecord",
    "SettingRecord",
    "StatusRecord",
    "StoreRecord",
    "TraceRecord",
    "VerifiedRecord",
    "WhyRecord",
    "copied",
    "page_of",
    "summary_of",
]

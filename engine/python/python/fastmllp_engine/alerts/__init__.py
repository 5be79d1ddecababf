"""Who is told when something is wrong, and when it is over."""

from fastmllp_engine.alerts.conditions import Condition, Kind, conditions, ending
from fastmllp_engine.alerts.episodes import Episode, Episodes, Notice
from fastmllp_engine.alerts.watch import Watch

__all__ = ["Condition", "Episode", "Episodes", "Kind", "Notice", "Watch", "conditions", "ending"]

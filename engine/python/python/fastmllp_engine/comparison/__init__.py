"""Two configurations compared: how they are wired, and what each would send for the same messages.

The code of a configuration runs in processes of its own, one for the old and one for the new, so
that nothing that one does reaches the other, and a function that hangs or ends its process is an
outcome like any other. Nothing is sent, and nothing is stored.
"""

from fastmllp_engine.comparison.tally import Difference, Tally, Verdict
from fastmllp_engine.comparison.trial import Broken, Outcome, Trial, wiring

__all__ = ["Broken", "Difference", "Outcome", "Tally", "Trial", "Verdict", "wiring"]

"""A hospital that sends messages: the same seed sends the same ones, byte for byte.

Messages of one patient make sense one after the other: nobody is discharged who was not admitted,
and a number that was merged into another one is not used again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from fastmllp_engine.testing import segments
from fastmllp_engine.testing.people import Patient, new_patient, new_visit

TYPES = ("ADT", "ORU", "ORM", "SIU", "MDM", "DFT", "VXU")
"""The types of messages."""

_Made = tuple[str, str, list[str]]
"""MSH-9 without the structure, the structure, and the segments after the header."""


def generate(
    count: int,
    types: Sequence[str] = TYPES,
    *,
    seed: int = 0,
    start: datetime = datetime(2026, 1, 1, 6),
    patients: int = 20,
) -> Iterator[bytes]:
    """Messages of a hospital that does not exist, in UTF-8.

    Args:
        count: How many.
        types: Which; each is as likely as the others.
        seed: The same seed makes the same messages.
        start: When the first one is sent; one follows after up to five minutes.
        patients: How many patients there are at a time.

    Raises:
        ValueError: a type is unknown, or a number is less than one.
    """
    unknown = sorted(set(types) - set(TYPES))
    if unknown or not types:
        raise ValueError(f"the types are {', '.join(TYPES)}, not {', '.join(unknown) or 'none'}")
    if patients < 1 or count < 1:
        raise ValueError("count and patients must be at least 1")
    hospital = _Hospital(Random(seed), start, patients)
    return (hospital.message(types) for _ in range(count))


class _Hospital:
    def __init__(self, random: Random, start: datetime, patients: int) -> None:
        self.random, self.now = random, start
        self.number = 0
        self.patients = [new_patient(random, 1001 + at) for at in range(patients)]
        self.next_patient = 1001 + patients
        self.made: dict[str, Callable[[Patient], _Made]] = {
            "ADT": self.movement,
            "ORU": self.results,
            "ORM": self.order,
            "SIU": self.appointment,
            "MDM": self.document,
            "DFT": self.charge,
            "VXU": self.vaccination,
        }

    @property
    def at(self) -> str:
        return self.now.strftime("%Y%m%d%H%M%S")

    def message(self, types: Sequence[str]) -> bytes:
        """The next one."""
        patient = self.random.choice(self.patients)
        kind, structure, lines = self.made[self.random.choice(types)](patient)
        self.number += 1
        header = segments.msh(kind, structure, f"GEN{self.number:08}", self.at)
        self.now += timedelta(seconds=self.random.randrange(1, 300))
        return ("\r".join([header, *lines]) + "\r").encode()

    def movement(self, patient: Patient) -> _Made:
        """What comes next in a patient's stay."""
        if patient.visit is None:
            if self.random.randrange(8) == 0 and len(self.patients) > 1:
                return self.merge(patient)
            patient.visit = new_visit(self.random, 50_000 + self.number, self.at)
            return self.event("A01", "ADT_A01", patient)
        event = self.random.choice(("A02", "A03", "A08", "A08"))
        if event == "A02":
            moved = new_visit(self.random, patient.visit.number, patient.visit.admitted)
            patient.visit = moved
        made = self.event(
            event, {"A02": "ADT_A02", "A03": "ADT_A03"}.get(event, "ADT_A01"), patient
        )
        if event == "A03":
            patient.visit = None
        return made

    def event(self, event: str, structure: str, patient: Patient) -> _Made:
        lines = [f"EVN|{event}|{self.at}", segments.pid(patient), segments.pv1(patient)]
        return f"ADT^{event}", structure, lines

    def merge(self, patient: Patient) -> _Made:
        """A number turns out to be that of another patient, and is not used again."""
        self.patients.remove(patient)
        into = self.random.choice(self.patients)
        into.merged.append(patient.number)
        self.patients.append(new_patient(self.random, self.next_patient))
        self.next_patient += 1
        lines = [f"EVN|A40|{self.at}", segments.pid(into), f"MRG|{patient.number}^^^GENERAL^MR"]
        return "ADT^A40", "ADT_A39", lines

    def results(self, patient: Patient) -> _Made:
        orders = segments.results(self.random, self.at)
        return "ORU^R01", "ORU_R01", [segments.pid(patient), segments.pv1(patient), *orders]

    def order(self, patient: Patient) -> _Made:
        orders = segments.order(self.random, self.at)
        return "ORM^O01", "ORM_O01", [segments.pid(patient), segments.pv1(patient), *orders]

    def appointment(self, patient: Patient) -> _Made:
        day = (self.now + timedelta(days=self.random.randrange(1, 60))).strftime("%Y%m%d")
        booked, place = segments.appointment(self.random, day, self.number)
        return "SIU^S12", "SIU_S12", [booked, segments.pid(patient), segments.pv1(patient), place]

    def document(self, patient: Patient) -> _Made:
        text = segments.document(self.random, self.at, self.number)
        about = [f"EVN|T02|{self.at}", segments.pid(patient), segments.pv1(patient)]
        return "MDM^T02", "MDM_T02", [*about, *text]

    def charge(self, patient: Patient) -> _Made:
        about = [f"EVN|P03|{self.at}", segments.pid(patient), segments.pv1(patient)]
        return "DFT^P03", "DFT_P03", [*about, *segments.charge(self.random, self.at)]

    def vaccination(self, patient: Patient) -> _Made:
        dose = segments.vaccination(self.random, self.at)
        return "VXU^V04", "VXU_V04", [segments.pid(patient), *dose]

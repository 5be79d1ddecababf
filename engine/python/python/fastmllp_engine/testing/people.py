"""Who lies in the hospital of the generated messages, and where. Nobody of them exists."""

from dataclasses import dataclass, field
from random import Random

# Names that a feed has to survive are among them: an apostrophe, an ampersand, a space, umlauts.
FAMILIES = (
    "TESTMANN", "O'SAMPLE", "VAN DER PROBE", "MÜSTER", "EXAMPLE&SONS", "BÉISPIEL", "FAKELY",
    "MOCKWELL", "DUMMYSON", "PLACEHOLD", "NOBODY", "ŻADEN",
)  # fmt: skip
GIVEN = ("ANNA", "BEN", "CÉLINE", "DAVID", "EVA-MARIA", "FELIX", "GRETA", "HÜSEYIN", "IDA", "JAN")
STREETS = ("1 NOWHERE LANE", "22 SAMPLE STREET", "3 TEST ROAD APT 4", "404 MISSING AVENUE")
CITIES = (("EXAMPLETON", "00001"), ("MOCKBURG", "00002"), ("FAKEVILLE", "00003"))
DOCTORS = ("D100^CURE^CAROL", "D200^HEAL^HENRY", "D300^MEND^MARY")
WARDS = ("ICU", "MED", "SURG", "OBS")


@dataclass
class Visit:
    """A stay, from an admission to a discharge."""

    number: int
    ward: str
    room: int
    doctor: str
    admitted: str


@dataclass
class Patient:
    """Somebody with a number of their own."""

    number: int
    family: str
    given: str
    sex: str
    born: str
    street: str
    city: tuple[str, str]
    visit: Visit | None = None
    merged: list[int] = field(default_factory=list)
    """Numbers that this one has taken over."""


def new_patient(random: Random, number: int) -> Patient:
    """A patient with this number."""
    born = f"{random.randrange(1930, 2025)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}"
    return Patient(
        number,
        random.choice(FAMILIES),
        random.choice(GIVEN),
        random.choice("FM"),
        born,
        random.choice(STREETS),
        random.choice(CITIES),
    )


def new_visit(random: Random, number: int, admitted: str) -> Visit:
    """A stay with this number."""
    room = random.randrange(100, 400)
    return Visit(number, random.choice(WARDS), room, random.choice(DOCTORS), admitted)

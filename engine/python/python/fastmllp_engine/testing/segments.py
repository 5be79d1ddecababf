"""Segments of generated messages, of HL7 2.5.1. Separators within a name are escaped here."""

from random import Random

from fastmllp_engine.testing.people import Patient

_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})

TESTS = (
    ("718-7", "Hemoglobin", "g/dL", 70, 180, "12.0-17.5"),
    ("2823-3", "Potassium", "mmol/L", 25, 65, "3.5-5.1"),
    ("2951-2", "Sodium", "mmol/L", 1200, 1550, "136-145"),
    ("2345-7", "Glucose", "mg/dL", 400, 4000, "70-99"),
    ("2160-0", "Creatinine", "mg/dL", 4, 60, "0.6-1.3"),
)
"""LOINC code, name, unit, the tenths between which a value lies, and what is usual."""
VACCINES = (("08", "Hep B"), ("20", "DTaP"), ("140", "Influenza"))
"""CVX code and name."""
CHARGES = (("99213", "OFFICE VISIT"), ("85027", "BLOOD COUNT"), ("71046", "CHEST X-RAY"))
"""CPT code and name."""


def escaped(text: str) -> str:
    """A text as the value of a field."""
    return text.translate(_ESCAPES)


def msh(kind: str, structure: str, control_id: str, at: str) -> str:
    """The header; ``kind`` is MSH-9 without the structure, such as ``ADT^A01``."""
    sender = "HIS|GENERAL|ENGINE|GENERAL"
    return rf"MSH|^~\&|{sender}|{at}||{kind}^{structure}|{control_id}|T|2.5.1||||||UNICODE UTF-8"


def pid(patient: Patient) -> str:
    """Who it is about."""
    city, code = patient.city
    name = f"{escaped(patient.family)}^{escaped(patient.given)}"
    numbers = f"{patient.number}^^^GENERAL^MR"
    account = patient.visit.number if patient.visit else ""
    return (
        f"PID|1||{numbers}||{name}||{patient.born}|{patient.sex}|||"
        f"{escaped(patient.street)}^^{city}^^{code}|||||||{account}"
    )


def pv1(patient: Patient) -> str:
    """Where the patient is; an outpatient without a visit."""
    visit = patient.visit
    if visit is None:
        return "PV1|1|O"
    place = f"{visit.ward}^{visit.room}^1"
    admitted = "|" * 25 + visit.admitted
    return f"PV1|1|I|{place}||||{visit.doctor}|||{visit.ward}||||||||IP|{visit.number}{admitted}"


def results(random: Random, at: str) -> list[str]:
    """An order with one to five values."""
    number = random.randrange(10_000, 100_000)
    lines = [
        f"ORC|RE|{number}^HIS|L{number}^LAB",
        f"OBR|1|{number}^HIS|L{number}^LAB|24323-8^Panel^LN|||{at}|||||||||||||||{at}|||F",
    ]
    for place, test in enumerate(random.sample(TESTS, random.randrange(1, 6)), 1):
        code, name, unit, low, high, usual = test
        value = random.randrange(low, high) / 10
        lowest, highest = map(float, usual.split("-"))
        flag = "L" if value < lowest else "H" if value > highest else "N"
        lines.append(f"OBX|{place}|NM|{code}^{name}^LN||{value}|{unit}|{usual}|{flag}|||F|||{at}")
    return lines


def order(random: Random, at: str) -> list[str]:
    """A new order for the laboratory."""
    code, name, *_ = random.choice(TESTS)
    number = random.randrange(10_000, 100_000)
    return [f"ORC|NW|{number}^HIS||||||||||D100", f"OBR|1|{number}^HIS||{code}^{name}^LN|||{at}"]


def appointment(random: Random, day: str, number: int) -> list[str]:
    """A booking of half an hour of that day."""
    hour = random.randrange(8, 17)
    start, end = f"{day}{hour:02}0000", f"{day}{hour:02}3000"
    booked = f"SCH|{number}^HIS||||||ROUTINE^Routine|CHECKUP^Checkup|30|min|^^30^{start}^{end}"
    place = f"RGS|1|A\rAIL|1|A|CLINIC^1|||{start}|||30|min"
    return [booked + "|" * 14 + "BOOKED", place]


def document(random: Random, at: str, number: int) -> list[str]:
    """A short report in lines of text."""
    lines = ["REPORT", "No finding \\T\\ no complaint.", "Control in {} weeks."]
    count = random.randrange(2, 9)
    texts = [line.format(count) for line in lines]
    return [
        f"TXA|1|DS^Discharge summary|TX|{at}|D100|||||||DOC{number}|||||AU",
        *(f"OBX|{place}|TX|DS^Text||{text}||||||F" for place, text in enumerate(texts, 1)),
    ]


def charge(random: Random, at: str) -> list[str]:
    """One thing that costs."""
    code, name = random.choice(CHARGES)
    day = at[:8]
    return [f"FT1|1|||{day}|{day}|CG|{code}^{name}^C4|||1|{random.randrange(20, 400)}.00"]


def vaccination(random: Random, at: str) -> list[str]:
    """A dose that was given."""
    code, name = random.choice(VACCINES)
    number = random.randrange(10_000, 100_000)
    return [
        f"ORC|RE||{number}^GENERAL",
        f"RXA|0|1|{at[:8]}||{code}^{name}^CVX|0.5|mL^^UCUM||00^New^NIP001||||||LOT{number % 97}",
    ]

"""What a registry's free words name in this registry's terms: endpoint kinds, phases, time zones.

Pure. Only the unmistakable is recognized; the rest is left for a person.
"""

from __future__ import annotations

import re

PHASES = {
    ("NA",): "NA",
    ("EARLY_PHASE1",): "EARLY_PHASE1",
    ("PHASE1",): "PHASE1",
    ("PHASE1", "PHASE2"): "PHASE1_PHASE2",
    ("PHASE2",): "PHASE2",
    ("PHASE2", "PHASE3"): "PHASE2_PHASE3",
    ("PHASE3",): "PHASE3",
    ("PHASE4",): "PHASE4",
}

# The titles that say no more than the kind itself.
TITLES = {
    "ORR": "Objective response rate",
    "DCR": "Disease control rate",
    "CBR": "Clinical benefit rate",
    "PFS": "Progression-free survival",
    "OS": "Overall survival",
    "DOR": "Duration of response",
    "TTR": "Time to response",
}
OTHER = "OTHER"
_KINDS = {
    "ORR": r"(?:objective|overall)\s+(?:tumou?r\s+)?(?:response|remission)(?:\s+rate)?\b|\bORR\b",
    "DCR": r"disease[- ]control\s+rate|\bDCR\b",
    "CBR": r"clinical[- ]benefit\s+rate|\bCBR\b",
    "PFS": r"progress(?:ion|ive|ing|ed)?[- ]*free[- ]+survival|\bPFS\b",
    "OS": r"overall[- ]+survival|\bOS\b",
    "DOR": r"duration\s+of\s+(?:the\s+)?(?:(?:objective|overall|tumou?r)\s+)?"
    r"(?:response|remission)|\bDO?OR\b",
    "TTR": r"time\s+to\s+(?:(?:objective|overall|first|tumou?r)\s+){0,2}response|\bTTR\b",
}
_PATTERNS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _KINDS.items()}
# Near relatives of which none is the endpoint itself: landmark rates, second progressions,
# other criteria than RECIST.
_ANOTHER = re.compile(
    r"(?:survival|PFS|OS)\s*(?:\([^)]*\)\s*)?rate|\bPFS-?2\b|\bi(?:r|m)?PFS\b|\bi(?:r|m)?ORR\b"
    r"|intracranial|\bi(?:r|m)?RECIST\b|best overall response|rate at \d|\bper Choi\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"^\W*(?:efficacy|effectiveness|(?:tumou?r )?response|survival|anti-?tumou?r activity)\W*$",
    re.IGNORECASE,
)


def endpoint_kind(measure: str, description: str) -> str:
    """The kind that an outcome's title names, else (a vague title) its description; or OTHER."""
    return _kind_of(description if _VAGUE.match(measure) else measure)


def _kind_of(text: str) -> str:
    if _ANOTHER.search(text):
        return OTHER
    named = [kind for kind, pattern in _PATTERNS.items() if pattern.search(text)]
    if set(named) == {"ORR", "DOR"} or set(named) == {"ORR", "TTR"}:
        named.remove("ORR")  # "duration of overall response" names the response it lasts
    return named[0] if len(named) == 1 else OTHER


def says_only_the_kind(measure: str, kind: str) -> bool:
    """Whether a title is the kind's own, its abbreviation aside."""
    plain = re.sub(r"\((?:[A-Z]\w{1,4})\)", "", measure)
    return kind in TITLES and _folded(plain) in (_folded(TITLES[kind]), _folded(kind))


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


# Sarcomas whose names do not say so (WHO Classification of Soft Tissue and Bone Tumours, 2020).
names_sarcoma = re.compile(
    r"sarcoma|\bSTS\b|\bGIST\b|stromal tumou?r|desmoid|fibromatosis|chordoma|solitary fibrous"
    r"|hemangioendothelioma|PEComa|ewing|nerve sheath|myofibroblastic|肉瘤",
    re.IGNORECASE,
).search

# Countries that keep one time: those with several zones are left out.
ZONES = {
    "Argentina": "America/Argentina/Buenos_Aires",
    "Austria": "Europe/Vienna",
    "Belgium": "Europe/Brussels",
    "Bulgaria": "Europe/Sofia",
    "China": "Asia/Shanghai",
    "Colombia": "America/Bogota",
    "Croatia": "Europe/Zagreb",
    "Czech Republic": "Europe/Prague",
    "Czechia": "Europe/Prague",
    "Denmark": "Europe/Copenhagen",
    "Egypt": "Africa/Cairo",
    "Finland": "Europe/Helsinki",
    "France": "Europe/Paris",
    "Georgia": "Asia/Tbilisi",
    "Germany": "Europe/Berlin",
    "Greece": "Europe/Athens",
    "Hong Kong": "Asia/Hong_Kong",
    "Hungary": "Europe/Budapest",
    "India": "Asia/Kolkata",
    "Ireland": "Europe/Dublin",
    "Israel": "Asia/Jerusalem",
    "Italy": "Europe/Rome",
    "Japan": "Asia/Tokyo",
    "Korea, Republic of": "Asia/Seoul",
    "Lebanon": "Asia/Beirut",
    "Malaysia": "Asia/Kuala_Lumpur",
    "Netherlands": "Europe/Amsterdam",
    "Norway": "Europe/Oslo",
    "Pakistan": "Asia/Karachi",
    "Peru": "America/Lima",
    "Philippines": "Asia/Manila",
    "Poland": "Europe/Warsaw",
    "Romania": "Europe/Bucharest",
    "Serbia": "Europe/Belgrade",
    "Singapore": "Asia/Singapore",
    "Slovakia": "Europe/Bratislava",
    "Slovenia": "Europe/Ljubljana",
    "South Africa": "Africa/Johannesburg",
    "South Korea": "Asia/Seoul",
    "Sweden": "Europe/Stockholm",
    "Switzerland": "Europe/Zurich",
    "Taiwan": "Asia/Taipei",
    "Thailand": "Asia/Bangkok",
    "Turkey": "Europe/Istanbul",
    "Turkey (Türkiye)": "Europe/Istanbul",
    "Türkiye": "Europe/Istanbul",
    "United Kingdom": "Europe/London",
    "Vietnam": "Asia/Ho_Chi_Minh",
}

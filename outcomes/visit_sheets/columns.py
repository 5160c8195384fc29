"""The columns of a visit sheet and the words in them: English, Chinese, and what people write.

Nothing is guessed: a heading or a word means one thing, or it is not read and that is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

Value = str | Decimal | Date | bool  # of a cell that is not blank

# A column's key is its heading in the template; every other heading means the same.
HEADINGS: Mapping[str, str] = {
    "subject_id": "subject, subject number, participant, participant id, patient, patient id, "
    "受试者编号, 受试者, 患者编号",
    "date": "visit date, scan date, assessment date, 日期, 访视日期, 扫描日期, 检查日期, 评估日期",
    "kind": "visit, visit type, visit kind, 访视, 访视类型",
    "lesion": "lesion id, lesion label, lesion no, 病灶, 病灶编号",
    "role": "lesion role, lesion type, 病灶类型, 病灶类别",
    "organ": "organ or site, 器官, 脏器",
    "location": "description, lesion description, 位置, 部位, 病灶描述",
    "node": "nodal, lymph node, 淋巴结, 是否淋巴结",
    "method": "imaging method, modality, 方法, 检查方法, 影像学方法",
    "slice_mm": "slice, slice thickness, slice thickness mm, 层厚",
    "state": "target state, 状态, 靶病灶状态",
    "diameter_mm": "diameter, size, size mm, mm, 直径, 径线, 测量值",
    "status": "non target status, 非靶病灶状态",
    "short_axis_mm": "short axis, 短径",
    "certainty": "new lesion certainty, 确定性, 确定程度, 新病灶确定性",
    "growth": "since the visit before, 增大情况, 与上次访视相比, 较前增大",
    "reason": "not evaluable reason, why not evaluable, 原因, 不可评估原因, 不可评价的原因",
    "fragments_mm": "fragments, 分裂病灶, 分裂病灶直径, 各部分, 分裂后各部分",
    "merged_into": "merged with, 融合至, 融入",
    "bone_type": "bone lesion, bone lesion type, 骨病灶类型",
    "previously_irradiated": "irradiated, irradiated before, 既往放疗",
    "progressed_since_irradiation": "progressed since, 放疗后进展",
    "new_lesions": "new lesion, any new lesion, 新病灶, 有无新病灶",
    "stated_response": "investigator response, response, 研究者评价, 研究者评估, 疗效评价, 疗效评估",
    "stated_response_reason": "reason for a different response, 评估不一致原因, 不同的原因",
    "change_reason": "reason for change, 更正原因, 修改原因, 更改原因",
}
OF_VISIT = (
    "subject_id", "date", "kind", "new_lesions", "stated_response", "stated_response_reason",
    "change_reason",
)  # fmt: skip
OF_LESION = tuple(key for key in HEADINGS if key not in (*OF_VISIT, "lesion", "role"))
OF_ALL_LESIONS = ("method", "slice_mm")  # of a whole row where a row is a visit

ROLES = {"T": "target", "NT": "non_target", "NL": "new"}
_CHINESE_LABELS = {"靶病灶": "T", "非靶病灶": "NT", "新病灶": "NL"}

WORDS: Mapping[str, Mapping[str, str]] = {
    "kind": {
        "baseline": "screening, bl, 基线, 筛选, 筛选期",
        "scheduled": "planned, follow up, 计划, 计划内, 随访",
        "unscheduled": "unplanned, 计划外, 非计划",
    },
    "role": {
        "target": "t, target lesion, 靶病灶, 靶",
        "non_target": "nt, nontarget, non target lesion, 非靶病灶, 非靶",
        "new": "nl, new lesion, 新病灶",
    },
    "method": {
        "ct": "spiral ct, 增强ct",
        "mri": "mr, 磁共振, 核磁共振",
        "pet_ct": "petct, pet",
        "xray": "x ray, x线, x光, 胸片",
        "caliper": "calipers, clinical, 卡尺",
        "ultrasound": "us, 超声, b超",
        "other": "其他",
    },
    "state": {
        "measured": "m, 已测量, 测量",
        "too_small": "tstm, too small to measure, 太小无法测量, 过小无法测量, 太小",
        "absent": "a, gone, disappeared, 消失, 无",
        "not_evaluable": "ne, not assessed, 不可评价, 不可评估, 无法评估",
        "merged": "合并, 融合, 与另一病灶融合",
    },
    "status": {
        "absent": "a, gone, disappeared, 消失, 无",
        "present": "p, stable, unchanged, 存在, 稳定",
        "increased": "增大, 增大但非明确进展, 增大，但非明确进展",
        "unequivocal_progression": "pd, progression, 明确进展",
        "not_evaluable": "ne, not assessed, 不可评价, 不可评估, 无法评估",
    },
    "certainty": {
        "unequivocal": "definite, 明确, 确定",
        "equivocal": "uncertain, 不明确, 可疑, 不确定",
    },
    "growth": {
        "none": "no, not larger, unchanged, 未增大, 无, 否",
        "increased": "yes, larger, 增大, 是",
        "unequivocal": "unequivocally larger, 明确增大",
    },
    "bone_type": {
        "lytic_soft_tissue": "lytic, lytic with soft tissue, 溶骨性伴软组织, 溶骨性伴软组织成分",
        "blastic": "成骨性",
        "mixed": "混合性",
    },
    "stated_response": {
        "CR": "complete response, 完全缓解",
        "PR": "partial response, 部分缓解",
        "SD": "stable disease, 疾病稳定",
        "PD": "progressive disease, 疾病进展",
        "NE": "not evaluable, 不可评价, 不可评估",
        "NON_CR_NON_PD": "non cr/non pd, 非完全缓解/非疾病进展",
    },
}
YES = frozenset(["yes", "y", "true", "1", "是", "有"])
NO = frozenset(["no", "n", "false", "0", "否", "无", "没有"])


def folded(text: str) -> str:
    """A word without what differs between people: width of characters, case, blanks, hyphens."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.split(r"[\s_\-–]+", plain)).strip()


def _table(words: Mapping[str, str]) -> dict[str, str]:
    return {
        folded(word): key for key, others in words.items() for word in (key, *others.split(", "))
    }


_COLUMNS = _table(HEADINGS)
_WORDS = {name: _table(words) for name, words in WORDS.items()}
_LABELLED = re.compile(r"(t|nt|nl|靶病灶|非靶病灶|新病灶) ?(\d{1,2})(?: (.+))?")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_DIGIT = re.compile(r"\d")
_MERGED = re.compile(
    r"(?:merged(?: into| with)?|合并|融合|融合至|融入) ?(t ?\d{1,2}|靶病灶 ?\d{1,2})"
)
STATES = "absent, too_small, not_evaluable, merged into T01"
_WEEK = re.compile(r"(?:week|w|第) ?\d{1,3} ?(?:周)?")
_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")


@dataclass(frozen=True)
class Column:
    """What a column says: of the visit, or of one lesion where `label` names it."""

    key: str
    label: str = ""

    @property
    def name(self) -> str:
        """The heading in the template."""
        return f"{self.label} {self.key}".strip() if self.key != self.label else self.label


def column(heading: str) -> Column | None:
    """What a heading means; None where it means nothing here."""
    bare = re.sub(r"\([^)]*\)|[*?:]", " ", unicodedata.normalize("NFKC", heading))
    word = folded(bare)  # without its unit and marks
    if word in _COLUMNS:
        return Column(_COLUMNS[word])
    if (match := _LABELLED.fullmatch(word)) is None:
        return None
    given = label(match[1] + match[2])
    if match[3] is None:
        return Column(given, given)
    key = _COLUMNS.get(match[3])
    return Column(key, given) if key in OF_LESION else None


def label(text: str) -> str:
    """A lesion's label with its two digits: T1, t01 and 靶病灶1 are T01; else as written."""
    word = folded(text).replace(" ", "")
    if (match := re.fullmatch(r"(t|nt|nl|靶病灶|非靶病灶|新病灶)(\d{1,2})", word)) is None:
        return text.strip()
    prefix = _CHINESE_LABELS.get(match[1], match[1].upper())
    return f"{prefix}{int(match[2]):02}"


def role_of(lesion: str) -> str:
    """The role that a label such as NT01 tells; blank where it tells none."""
    return ROLES.get(re.split(r"\d", lesion, maxsplit=1)[0], "")


def text(value: Value) -> str:
    """A cell as text: whole numbers without a point, dates as YYYY-MM-DD."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def choice(name: str, value: Value) -> str:
    """The code that a word stands for; ValueError names those that there are."""
    word = folded(text(value))
    if (found := _WORDS[name].get(word)) is not None:
        return found
    if name == "kind" and _WEEK.fullmatch(word):
        return "scheduled"
    raise ValueError(_("One of: %s.") % ", ".join(WORDS[name]))


def measured(value: Value) -> dict[str, Any]:
    """A target's cell: a number, a sum of fragments, or a state, with its reason after a colon."""
    if isinstance(value, str):
        word, *why = re.split("[:：]", value, maxsplit=1)
        if match := _MERGED.fullmatch(folded(word)):
            return {"state": "merged", "merged_into": label(match[1])}
        if folded(word) in _WORDS["state"]:
            return _with_reason("state", word, why)
        if re.search("[+＋]", value.strip()[1:]):
            return {"fragments_mm": numbers(value)}
        if not _DIGIT.search(value):
            raise ValueError(_("Give millimeters such as 27.5, or one of: %s.") % STATES)
    return {"diameter_mm": number(value)}


def judged(name: str, value: Value) -> dict[str, Any]:
    """A status or certainty, with its reason after a colon."""
    word, *why = re.split("[:：]", text(value), maxsplit=1)
    return _with_reason(name, word, why)


def _with_reason(name: str, word: str, why: list[str]) -> dict[str, Any]:
    found = {name: choice(name, word)}
    return found | {"reason": why[0].strip()} if why and why[0].strip() else found


def flag(value: Value) -> bool:
    """Yes or no."""
    word = folded(text(value))
    if word not in YES | NO:
        raise ValueError(_("Either yes or no."))
    return word in YES


def number(value: Value) -> str:
    """Millimeters as exact text; a decimal comma is a point, full-width digits are digits."""
    if isinstance(value, Date):
        raise ValueError(_("The spreadsheet turned this into a date; format the cell as a number."))
    plain = unicodedata.normalize("NFKC", text(value)).strip().casefold().removesuffix("mm").strip()
    if plain.endswith(("cm", "厘米")):
        raise ValueError(_("Give millimeters, not centimeters: 27.5, not 2.75 cm."))
    if isinstance(value, bool) or not _NUMBER.fullmatch(plain):
        raise ValueError(_("Give millimeters as a number, such as 27.5."))
    found = Decimal(plain.replace(",", "."))
    if not 0 <= found <= 400:
        raise ValueError(_("From 0 to 400 mm."))
    if found != round(found, 2):
        raise ValueError(_("At most two decimals, such as 27.55."))
    return format(round(found, 2).normalize(), "f")


def numbers(value: Value) -> list[str]:
    """Millimeters joined by +."""
    return [number(part) for part in re.split(r"[+＋]", text(value))]


def calendar_date(value: Value) -> Date:
    """A date of the spreadsheet, or text with the year first; ValueError for all others."""
    if isinstance(value, Date):
        return value
    plain = "".join(unicodedata.normalize("NFKC", text(value)).split())
    if (match := _DATE.fullmatch(plain)) is None:
        raise ValueError(_("Give the date as YYYY-MM-DD, or as a date cell of the spreadsheet."))
    year, month, day = (int(part) for part in match.groups() if part)
    try:
        return Date(year, month, day)
    except ValueError as error:
        raise ValueError(_("There is no such day; give it as YYYY-MM-DD.")) from error


READERS: Mapping[str, Any] = {
    **dict.fromkeys(("slice_mm", "diameter_mm", "short_axis_mm"), number),
    **dict.fromkeys(("node", "previously_irradiated", "progressed_since_irradiation"), flag),
    "fragments_mm": numbers,
    "merged_into": lambda value: label(text(value)),
    "new_lesions": flag,
}


def read(name: str, value: Value) -> Any:
    """What a cell of a column says; ValueError says what would be accepted."""
    if name in READERS:
        return READERS[name](value)
    return choice(name, value) if name in WORDS else text(value).strip()


def known(headings: Iterable[str]) -> int:
    """How many of these are headings of a visit sheet."""
    return sum(1 for heading in headings if column(heading) is not None)

"""Drugs by their names: what an English text calls them, as a reader of Chinese knows them.

Pure. Names are those of the NMPA for what is approved there; in a longer text, such as an arm's
name, only whole names are replaced, and what is not known stays as it was typed.
"""

from __future__ import annotations

import re

CHINESE = {
    "anlotinib": "安罗替尼",
    "anlotinib hydrochloride": "盐酸安罗替尼",
    "apatinib": "阿帕替尼",
    "camrelizumab": "卡瑞利珠单抗",
    "carboplatin": "卡铂",
    "cisplatin": "顺铂",
    "dacarbazine": "达卡巴嗪",
    "docetaxel": "多西他赛",
    "doxorubicin": "多柔比星",
    "epirubicin": "表柔比星",
    "eribulin": "艾立布林",
    "etoposide": "依托泊苷",
    "gemcitabine": "吉西他滨",
    "ifosfamide": "异环磷酰胺",
    "liposomal doxorubicin": "多柔比星脂质体",
    "nivolumab": "纳武利尤单抗",
    "paclitaxel": "紫杉醇",
    "pazopanib": "培唑帕尼",
    "pembrolizumab": "帕博利珠单抗",
    "penpulimab": "派安普利单抗",
    "placebo": "安慰剂",
    "regorafenib": "瑞戈非尼",
    "sintilimab": "信迪利单抗",
    "tislelizumab": "替雷利珠单抗",
    "toripalimab": "特瑞普利单抗",
    "trabectedin": "曲贝替定",
    "vincristine": "长春新碱",
}
_NAMES = re.compile(
    rf"(?<![A-Za-z-])(?:{'|'.join(sorted(CHINESE, key=len, reverse=True))})(?![A-Za-z-])", re.I
)


def name(text: str, *, chinese: bool) -> str:
    """A text with the drugs in it by their Chinese names, or as it was typed."""
    return _NAMES.sub(lambda found: CHINESE[found[0].lower()], text) if chinese else text

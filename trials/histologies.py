"""Histologies by their names: English, Chinese and abbreviations; a subtype is also its parent.

Pure. Terms and families follow the WHO Classification of Soft Tissue and Bone Tumours, 5th
edition (2020). No part of a name is ever matched: a myxofibrosarcoma is no fibrosarcoma, and a
text that is not a known name is not recognized, so that a person decides. Abbreviations with two
meanings are left out: ES (epithelioid or Ewing sarcoma), OS.
"""

from __future__ import annotations

import re
import unicodedata

# term: (the family it belongs to or "", other names)
TERMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "synovial sarcoma": ("", ("SS", "滑膜肉瘤")),
    "leiomyosarcoma": ("", ("LMS", "平滑肌肉瘤")),
    "uterine leiomyosarcoma": ("leiomyosarcoma", ("uLMS", "子宫平滑肌肉瘤")),
    "liposarcoma": ("", ("LPS", "脂肪肉瘤")),
    "dedifferentiated liposarcoma": ("liposarcoma", ("DDLPS", "DDL", "去分化脂肪肉瘤")),
    "well-differentiated liposarcoma": (
        "liposarcoma",
        ("WDLPS", "WDL", "atypical lipomatous tumor", "ALT/WDLPS", "高分化脂肪肉瘤"),
    ),
    "myxoid liposarcoma": (
        "liposarcoma",
        ("MLPS", "myxoid/round cell liposarcoma", "MRCL", "黏液样脂肪肉瘤", "黏液性脂肪肉瘤"),
    ),
    "pleomorphic liposarcoma": ("liposarcoma", ("PLPS", "多形性脂肪肉瘤")),
    "angiosarcoma": ("", ("AS", "hemangiosarcoma", "血管肉瘤")),
    "epithelioid angiosarcoma": ("angiosarcoma", ("上皮样血管肉瘤",)),
    "alveolar soft part sarcoma": ("", ("ASPS", "腺泡状软组织肉瘤", "腺泡状软部肉瘤")),
    "clear cell sarcoma": ("", ("CCS", "clear cell sarcoma of soft tissue", "透明细胞肉瘤")),
    "epithelioid sarcoma": ("", ("上皮样肉瘤",)),
    "fibrosarcoma": ("", ("FS", "adult fibrosarcoma", "纤维肉瘤")),
    "myxofibrosarcoma": ("", ("MFS", "黏液纤维肉瘤")),
    "low-grade fibromyxoid sarcoma": ("", ("LGFMS", "低级别纤维黏液样肉瘤")),
    "solitary fibrous tumor": ("", ("SFT", "hemangiopericytoma", "孤立性纤维性肿瘤")),
    "epithelioid hemangioendothelioma": ("", ("EHE", "上皮样血管内皮瘤")),
    "desmoplastic small round cell tumor": ("", ("DSRCT", "促结缔组织增生性小圆细胞肿瘤")),
    "extraskeletal myxoid chondrosarcoma": ("", ("EMC", "骨外黏液样软骨肉瘤")),
    "perivascular epithelioid cell tumor": (
        "",
        ("PEComa", "malignant PEComa", "血管周上皮样细胞肿瘤"),
    ),
    "endometrial stromal sarcoma": ("", ("ESS", "子宫内膜间质肉瘤")),
    "intimal sarcoma": ("", ("内膜肉瘤",)),
    # Left without its family: whether "osteosarcoma" in a protocol means it, a person decides.
    "extraskeletal osteosarcoma": ("", ("ESOS", "骨外骨肉瘤")),
    "malignant peripheral nerve sheath tumor": (
        "",
        ("MPNST", "恶性外周神经鞘瘤", "恶性周围神经鞘膜瘤"),
    ),
    "undifferentiated sarcoma": ("", ("未分化肉瘤",)),
    "undifferentiated pleomorphic sarcoma": (
        "undifferentiated sarcoma",
        ("UPS", "malignant fibrous histiocytoma", "MFH", "未分化多形性肉瘤", "恶性纤维组织细胞瘤"),
    ),
    "undifferentiated spindle cell sarcoma": ("undifferentiated sarcoma", ("未分化梭形细胞肉瘤",)),
    "rhabdomyosarcoma": ("", ("RMS", "横纹肌肉瘤")),
    "embryonal rhabdomyosarcoma": ("rhabdomyosarcoma", ("ERMS", "胚胎性横纹肌肉瘤")),
    "alveolar rhabdomyosarcoma": ("rhabdomyosarcoma", ("ARMS", "腺泡状横纹肌肉瘤")),
    "pleomorphic rhabdomyosarcoma": ("rhabdomyosarcoma", ("多形性横纹肌肉瘤",)),
    "chondrosarcoma": ("", ("软骨肉瘤",)),
    "mesenchymal chondrosarcoma": ("chondrosarcoma", ("间叶性软骨肉瘤",)),
    "osteosarcoma": ("", ("osteogenic sarcoma", "骨肉瘤")),
    "dermatofibrosarcoma protuberans": ("", ("DFSP", "隆突性皮肤纤维肉瘤", "隆凸性皮肤纤维肉瘤")),
    "gastrointestinal stromal tumor": ("", ("GIST", "胃肠道间质瘤", "胃肠间质瘤")),
    "Ewing sarcoma": (
        "",
        (
            "Ewing's sarcoma",
            "primitive neuroectodermal tumor",
            "PNET",
            "Ewing's sarcoma/primitive neuroectodermal tumor",
            "尤文肉瘤",
            "尤因肉瘤",
            "原始神经外胚层肿瘤",
        ),
    ),
    "inflammatory myofibroblastic tumor": ("", ("IMT", "炎性肌纤维母细胞瘤")),
    "malignant mesothelioma": ("", ("mesothelioma", "恶性间皮瘤")),
    "esophageal squamous cell carcinoma": ("", ("ESCC", "食管鳞癌", "食管鳞状细胞癌")),
    "esophageal adenosquamous carcinoma": ("", ("食管腺鳞癌",)),
    "esophageal adenocarcinoma": ("", ("EAC", "食管腺癌")),
}


def folded(text: str) -> str:
    """A name without case, width, punctuation or British spelling."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    american = plain.replace("tumour", "tumor").replace("oesoph", "esoph").replace("haem", "hem")
    return re.sub(r"[\W_]+", "", american)


NAMES = {folded(name): term for term, (_, names) in TERMS.items() for name in (term, *names)}


def name(text: str, *, chinese: bool) -> str:
    """A histology in English or Chinese.

    A text in that language stays as it is typed, and so does one that is not a known name.
    """
    term = NAMES.get(folded(text))
    if term is None or chinese != text.isascii():
        return text
    return next((said for said in TERMS[term][1] if chinese and not said.isascii()), term)


def families(text: str) -> tuple[str, ...]:
    """The term a text names and the families above it; none if it is no known name."""
    found = []
    term = NAMES.get(folded(text), "")
    while term:
        found.append(term)
        term = TERMS[term][0]
    return tuple(found)

"""Organ groups: RECIST 1.1 counts at most two targets per organ, so organs need one name each.

Pure: free text (English, Simplified Chinese, common abbreviations) in, a group name out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

LYMPH_NODE: Final = "lymph_node"
BONE: Final = "bone"
MAX_LENGTH: Final = 100

ORGANS: Final[Mapping[str, str]] = {
    "adrenal": "adrenal, adrenals, adrenal gland, suprarenal, 肾上腺",
    "aorta": "aorta, aortic, 主动脉",
    "appendix": "appendix, appendiceal, 阑尾",
    "bile_duct": "bile duct, biliary, biliary tract, cbd, 胆管, 胆总管",
    "bladder": "bladder, urinary bladder, vesical, 膀胱",
    "bone": (
        "bone, bones, osseous, bony, skeleton, skeletal, skull, calvarium, spine, spinal, "
        "vertebra, vertebrae, vertebral, vertebral body, sacrum, sacral, coccyx, rib, ribs, "
        "sternum, sternal, clavicle, scapula, femur, femoral shaft, tibia, fibula, humerus, "
        "radius, ulna, patella, ilium, iliac bone, iliac crest, ischium, pubis, pubic, "
        "pubic bone, acetabulum, acetabular, mandible, maxilla, pelvic bone, femoral head, "
        "femoral neck, 骨, 骨骼, 颅骨, 脊柱, 椎体, 椎骨, 颈椎, 胸椎, 腰椎, 骶椎, 骶骨, 尾骨, 肋, "
        "肋骨, 胸骨, 锁骨, 肩胛骨, 股骨, 股骨头, 股骨颈, 胫骨, 腓骨, 肱骨, 桡骨, 尺骨, 髌骨, "
        "髂骨, 坐骨, 耻骨, 髋臼, 下颌骨, 上颌骨, 骨盆"
    ),
    "bone_marrow": "bone marrow, marrow, 骨髓",
    "bowel": (
        "bowel, small bowel, large bowel, intestine, small intestine, large intestine, "
        "intestinal, duodenum, duodenal, jejunum, jejunal, ileum, ileal, cecum, caecum, colon, "
        "colonic, sigmoid, sigmoid colon, colorectal, bowel wall, 小肠, 大肠, 肠, 肠道, 肠壁, "
        "十二指肠, 空肠, 回肠, 盲肠, 结肠, 乙状结肠"
    ),
    "brain": (
        "brain, brainstem, brain stem, cerebrum, cerebral, cerebellum, cerebellar, intracranial, "
        "frontal lobe, temporal lobe, parietal lobe, occipital lobe, thalamus, basal ganglia, "
        "pons, brain parenchyma, 脑, 大脑, 小脑, 脑干, 颅内, 额叶, 颞叶, 顶叶, 枕叶, 丘脑, "
        "基底节"
    ),
    "breast": "breast, breasts, mammary, mammary gland, 乳腺, 乳房, 左乳, 右乳, 双乳",
    "cervix": "cervix, cervix uteri, uterine cervix, cervical stump, 宫颈, 子宫颈",
    "diaphragm": "diaphragm, diaphragmatic, 膈肌, 横膈",
    "esophagus": "esophagus, esophageal, oesophagus, oesophageal, 食管, 食道",
    "eye": "eye, eyes, orbit, orbits, orbital, ocular, 眼, 眼眶, 眼球",
    "gallbladder": "gallbladder, gall bladder, 胆囊",
    "heart": (
        "heart, cardiac, myocardium, myocardial, atrium, atrial, right ventricle, "
        "left ventricle, ventricular septum, intracardiac, 心脏, 心房, 左心房, 右心房, 心室, "
        "左心室, 右心室, 心肌"
    ),
    "kidney": "kidney, kidneys, renal, renal pelvis, renal cortex, 肾, 肾脏, 肾盂, 肾皮质",
    "larynx": "larynx, laryngeal, 喉",
    "liver": "liver, hepatic, intrahepatic, caudate lobe, caudate, hep, 肝, 肝脏, 肝内, 肝尾状叶",
    "lung": (
        "lung, lungs, pulmonary, intrapulmonary, lingula, lingular, rul, rml, rll, lul, lll, "
        "pulm, 肺, 肺脏, 双肺, 舌叶, 舌段"
    ),
    "meninges": (
        "meninges, meningeal, leptomeninges, leptomeningeal, dura, dural, 脑膜, 软脑膜, 硬脑膜"
    ),
    "mesentery": "mesentery, mesenteric, mesocolon, 肠系膜, 系膜",
    "omentum": "omentum, omental, greater omentum, 大网膜, 网膜",
    "oral_cavity": "oral cavity, mouth, tongue, gingiva, palate, 口腔, 舌, 舌头, 牙龈",
    "ovary": "ovary, ovaries, ovarian, 卵巢",
    "pancreas": "pancreas, pancreatic, 胰, 胰腺, 胰头, 胰体, 胰尾",
    "parotid": "parotid, parotids, parotid gland, 腮腺",
    "penis": "penis, penile, 阴茎",
    "pericardium": "pericardium, pericardial, 心包",
    "peritoneum": "peritoneum, peritoneal, 腹膜, 壁层腹膜",
    "pharynx": "pharynx, pharyngeal, nasopharynx, oropharynx, 咽, 鼻咽, 口咽",
    "pleura": "pleura, pleural, pleurae, 胸膜, 胸腔",
    "prostate": "prostate, prostatic, 前列腺",
    "rectum": "rectum, rectal, anorectal, anus, anal canal, 直肠, 肛管",
    "sinus": "paranasal sinus, maxillary sinus, nasal cavity, 鼻窦, 上颌窦, 鼻腔",
    "skin": "skin, cutaneous, dermal, scalp skin, 皮肤",
    "spinal_cord": "spinal cord, 脊髓",
    "spleen": "spleen, splenic, 脾, 脾脏",
    "stomach": "stomach, gastric, 胃",
    "testis": "testis, testes, testicle, testicles, testicular, 睾丸",
    "thymus": "thymus, thymic, 胸腺",
    "thyroid": "thyroid, thyroid gland, 甲状腺",
    "ureter": "ureter, ureters, ureteral, 输尿管",
    "uterus": (
        "uterus, uterine, uterine corpus, endometrium, endometrial, myometrium, myometrial, "
        "子宫, 宫体, 子宫体, 子宫内膜, 子宫肌层"
    ),
    "vagina": "vagina, vaginal, vaginal vault, vaginal stump, 阴道, 阴道残端",
    "vulva": "vulva, vulvar, 外阴",
}

REGIONS: Final[Mapping[str, str]] = {
    "abdominal_cavity": "abdominal cavity, abdomen, abdominal, 腹腔, 腹部",
    "abdominal_wall": "abdominal wall, abd wall, 腹壁",
    "axilla": "axilla, axillary, 腋窝, 腋下",
    "chest_wall": "chest wall, thoracic wall, 胸壁",
    "groin": "groin, inguinal, inguinal region, 腹股沟, 腹股沟区",
    "head_and_neck": "neck, face, scalp, 头颈部, 颈部, 面部, 头皮",
    "mediastinum": "mediastinum, mediastinal, 纵隔",
    "pelvis": "pelvis, pelvic, pelvic cavity, presacral, 盆腔, 骶前",
    "perineum": "perineum, perineal, 会阴",
    "retroperitoneum": (
        "retroperitoneum, retroperitoneal, retroperitoneal space, perirenal, pararenal, "
        "perinephric, perirenal fat, perirenal space, 腹膜后, 腹膜后腔, 腹膜后间隙, 后腹膜, "
        "肾周, 肾周脂肪, 肾旁"
    ),
}

TISSUES: Final[Mapping[str, str]] = {
    "lung": "upper lobe, middle lobe, lower lobe, subpleural, 胸膜下",
    "soft_tissue": (
        "soft tissue, soft tissues, muscle, muscles, muscular, intramuscular, subcutaneous, "
        "subcutis, subcutaneous tissue, subcutaneous fat, skeletal muscle, thigh, calf, leg, "
        "lower leg, upper arm, arm, forearm, hand, foot, knee, ankle, elbow, wrist, shoulder, "
        "hip, popliteal, popliteal fossa, extremity, extremities, limb, limbs, buttock, "
        "buttocks, gluteal, gluteus, gluteus maximus, gluteus medius, psoas, iliopsoas, "
        "quadriceps, hamstring, adductor, biceps, triceps, deltoid, gastrocnemius, trunk, back, "
        "flank, paraspinal, paraspinal muscle, paravertebral, 软组织, 肌肉, 肌, 骨骼肌, 皮下, "
        "皮下组织, 皮下脂肪, 大腿, 小腿, 上肢, 下肢, 四肢, 肢体, 上臂, 前臂, 手部, 足部, 膝, "
        "膝关节, 腘窝, 肩部, 臀部, 臀, 臀大肌, 腰大肌, 髂腰肌, 背部, 腰部, 椎旁, 躯干"
    ),
}

_NODES: Final = "lymph nodes, 淋巴结"

# A named organ says more than a region ("chest wall, rib 5"), a region more than a tissue
# ("chest wall soft tissue") or a lobe (the thyroid has lower lobes too).
_PHRASES: Final[Mapping[str, tuple[int, str]]] = {
    phrase: (rank, group)
    for rank, table in reversed(list(enumerate((ORGANS, REGIONS, TISSUES))))
    for group, phrases in table.items()
    for phrase in (*phrases.split(", "), group.replace("_", " "))
}

# What may follow an organ without naming something else: "kidney bean", "hepatic artery" and
# 肺动脉 are not organs of that name, "liver dome", "lung nodule" and 肝S6 are.
_QUALIFIERS: Final = (
    "left right bilateral both l r lt rt bilat upper lower middle mid medial lateral anterior "
    "posterior superior inferior central peripheral proximal distal apical basal dorsal ventral "
    "apex base dome hilum hilar hilus pole lobe lobes segment segments seg side wall parenchyma "
    "cortex capsule surface head body tail corpus fundus region area site bed stump tissue "
    "joint cake effusion thickening space fat shaft process gland compartment level mass masses "
    "nodule nodules lesion lesions tumor tumors tumour tumours metastasis metastases metastatic "
    "mets met cancer deposit deposits recurrence recurrent primary implant implants disease no "
    "target number large small solitary multiple known"
)
_QUALIFIER: Final = (
    rf"(?:{'|'.join(_QUALIFIERS.split())}|[a-z]*omas?|[ivx]+[ab]?|[a-z]?\d+[a-z]?)(?![a-z])"
)
_CHINESE_QUALIFIER: Final = (
    r"[左右双两侧上中下前后内外叶段部区脏尖底顶门缘极体头尾端干膈包胸积增第多单原复转结肿占病瘤癌肉灶实近处壁"
    r"一二三四五六七八九十]"
)


def _word(phrase: str) -> str:
    escaped = re.escape(phrase).replace(r"\ ", " ")
    return rf"(?<![a-z]){escaped}(?![a-z])" if phrase.isascii() else escaped


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(_word(phrase) for phrase in sorted(phrases, key=len, reverse=True))


_ORGAN: Final = re.compile(_any_of(_PHRASES))
_FOLLOWED_WELL: Final = re.compile(
    rf"\s*(?:$|[^\w\s]|{_QUALIFIER}|{_CHINESE_QUALIFIER}|{_any_of(_PHRASES)})"
)
_NODE: Final = re.compile(
    r"(?<![a-z])(?:lymph ?(?:nodes?|nodal|gland)|lymphadenopath(?:y|ies)|adenopath(?:y|ies)"
    r"|nodes?|nodal|lns?|station \d+[rl]?)(?![a-z])|淋巴结|淋巴結"
)
_PREFIX: Final = re.compile(
    r"(?<![a-z])(peri|para|extra|intra|sub|supra|infra|retro|pre|inter|non) ?- ?(?=[a-z])"
)
# "beside X" names a neighbor, not the place.
_NEIGHBOR: Final = re.compile(
    r"(?<![a-z])(?:adjacent to|next to|near|close to|abutting|invading|beside|behind|along"
    r"|(?:anterior|posterior|superior|inferior|medial|lateral) to|above|below|without)(?![a-z])"
    r"|邻|毗|紧贴|贴近|靠近|近(?!端)|累及|侵犯|压迫"
)
_PART: Final = re.compile(
    r"[,;:/()\[\]，；。、&+]| - |(?<![a-z])(?:of|in|within|at|on|from|and|with)(?![a-z])|和|及"
)


@lru_cache(maxsize=4096)  # the same few hundred names in every visit
def organ_group(text: str, *, nodal: bool = False) -> str:
    """The organ that a free text names, so that "右肺上叶" and "LLL nodule" count as one organ.

    All lymph nodes are one group, paired organs are one group each; an unknown organ is its own
    group, the normalized text itself (at most 100 characters). Empty text gives "". No errors.
    Source: Eisenhauer 2009, sections 4.1 and 4.2 (paired organs and nodes: EORTC RECIST FAQ).
    """
    normalized = _normalize(text)
    words = _PREFIX.sub(r"\1", normalized.replace("_", " "))
    place = _before_neighbor(words)
    if nodal or _NODE.search(place):
        return LYMPH_NODE
    hits = [hit for part in _PART.split(place) for hit in _hits(part)]
    return min(hits, key=lambda hit: hit[0])[1] if hits else normalized


def _normalize(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Normalizing can lengthen a text (one ligature may become 18 letters): groups are stored.
    return " ".join(folded.split())[:MAX_LENGTH].rstrip()


def _before_neighbor(words: str) -> str:
    # Chinese puts the neighbor first (肾邻近淋巴结): the part before it names nothing then.
    before = _NEIGHBOR.split(words, maxsplit=1)[0]
    return words if "淋巴" in words and "淋巴" not in before else before


def _hits(part: str) -> Iterator[tuple[int, str]]:
    """Organs of one part, the last first: in both languages the head noun ends a compound."""
    for match in reversed(list(_ORGAN.finditer(part))):
        if _FOLLOWED_WELL.match(part, match.end()):
            yield _PHRASES[match.group()]


@lru_cache
def organ_names(*, chinese: bool) -> Mapping[str, str]:
    """What each organ group is called, by group: names that `organ_group` reads back as the group."""
    tables = (*TISSUES.items(), *REGIONS.items(), *ORGANS.items(), (LYMPH_NODE, _NODES))
    return {group: _name(group, phrases, chinese=chinese) for group, phrases in tables}


def _name(group: str, phrases: str, *, chinese: bool) -> str:
    if not chinese:
        return group.replace("_", " ")
    return next(phrase for phrase in phrases.split(", ") if not phrase.isascii())

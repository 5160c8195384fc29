"""Free text to organ group: one row per trap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.organs import MAX_LENGTH, ORGANS, REGIONS, TISSUES, organ_group, organ_names

TEXTS = {
    "lung": (
        "Lung, LUNGS, ＬＵＮＧ, right upper lobe of lung, left lung, bilateral lungs, R. lung base, "
        "lung - right, RUL, LLL nodule, right lower lobe, lung (pleural based), lung metastasis #2, "
        "pulmonary nodule, subpleural nodule, 右肺上叶, 左肺下叶背段, 双肺, 肺, 肺门, 肺转移瘤, "
        "右肺近胸膜, 右肺胸膜下, 左肺上叶舌段, lung of a patient with kidney cancer, 右肺中心"
    ),
    "liver": (
        "liver, liver; segment VI, Liver S4a, liver seg. 8, segment 6 of liver, left lobe of liver, "
        "liver dome, hepatic metastases, liver near kidney, liver/spleen, 肝S6, 肝脏, 肝右叶第八段, "
        "肝膈顶, 肝VI段, 肝尾状叶, 肝包膜下"
    ),
    "kidney": "kidney, right kidney, kidneys, renal mass, left renal pelvis, 肾, 左肾, 双肾, 肾盂",
    "adrenal": "adrenal, left adrenal gland, adrenals, suprarenal, 肾上腺, 左肾上腺, 双侧肾上腺",
    "ovary": "ovary, left ovary, ovaries, ovarian mass, 卵巢, 右侧卵巢",
    "breast": "breast, right breast, breasts, 左乳, 乳腺",
    "testis": "testis, left testicle, 睾丸",
    "lymph_node": (
        "LN, LNs, LN4R, lymph node, Lymph Nodes, lymphadenopathy, mediastinal lymph node 4R, "
        "left axillary node, inguinal LN, retroperitoneal LN, para-aortic lymph nodes, station 7, "
        "lung hilar lymph node, 纵隔淋巴结, 肺门淋巴结, 4R组淋巴结, 肾邻近淋巴结, "
        "kidney with adjacent lymph node"
    ),
    "pleura": "pleura, pleural nodule, pleura of right lung, 胸膜, 右侧胸膜结节, 胸腔积液",
    "peritoneum": "peritoneum, peritoneal implant, pelvic peritoneum, 腹膜",
    "retroperitoneum": (
        "retroperitoneum, retro-peritoneum, retroperitoneal mass, perirenal, peri-renal fat, "
        "retroperitoneum near left kidney, 腹膜后, 腹膜后肿物, 肾周, 后腹膜"
    ),
    "mesentery": "mesentery, mesenteric mass, 肠系膜",
    "omentum": "omentum, omental cake tumor, 大网膜",
    "soft_tissue": (
        "soft tissue, thigh, left thigh muscle, soft tissue of right thigh, calf, upper arm, "
        "gluteus maximus, psoas, subcutaneous, muscle, extremity, 软组织, 左侧大腿, 大腿软组织, "
        "腰大肌, 骨骼肌, 皮下, 臀部"
    ),
    "chest_wall": "chest wall, left chest wall mass, chest wall muscle, 胸壁, 右侧胸壁肿块",
    "abdominal_wall": "abdominal wall, 腹壁",
    "pelvis": "pelvis, pelvic mass, 盆腔",
    "mediastinum": "mediastinum, anterior mediastinal mass, 纵隔",
    "bone": (
        "bone, left femur, rib 5, ribs, L3 vertebra, sacrum, iliac bone, pelvic bone, thigh bone, "
        "bone of pelvis, chest wall; rib 5, skull base, T12 vertebral body, 骨, 股骨近端, 第5肋骨, "
        "胸椎, 髂骨, 骨盆, 胸骨"
    ),
    "bone_marrow": "bone marrow, marrow, 骨髓",
    "brain": "brain, brainstem, cerebellum, frontal lobe, 脑, 小脑, 右侧额叶",
    "meninges": "meninges, leptomeningeal, 脑膜",
    "spinal_cord": "spinal cord, 脊髓",
    "skin": "skin, skin of thigh, breast skin, 皮肤",
    "spleen": "spleen, splenic lesion, 脾, 脾脏",
    "pancreas": "pancreas, pancreas tail, head of pancreas, 胰腺, 胰腺尾部, 胰头",
    "heart": "heart, right atrium, cardiac mass, 心脏, 右心房",
    "pericardium": "pericardium, 心包",
    "uterus": "uterus, uterine leiomyosarcoma, 子宫, 子宫肌层",
    "cervix": "cervix, uterine cervix, 宫颈, 子宫颈",
    "stomach": "stomach, gastric wall, 胃, 胃底",
    "bowel": "small bowel, colon, ileum, 小肠, 乙状结肠",
    "thyroid": "thyroid, thyroid; lower lobe, 甲状腺",
}
OWN_GROUPS = (
    *("kidney bean", "hepatic artery", "renal vein", "iliac vessel", "lungfish", "delivery"),
    *("extrahepatic", "mass adjacent to liver", "non-nodal mass", "lymphangitic carcinomatosis"),
    *("s6", "肺动脉", "肝静脉", "心膈角", "髂血管", "somewhere else"),
)


@pytest.mark.parametrize(
    ("text", "group"),
    [(text, group) for group, texts in TEXTS.items() for text in texts.split(", ")],
)
def test_a_place_names_its_organ(text: str, group: str) -> None:
    assert organ_group(text) == group


@pytest.mark.parametrize("text", OWN_GROUPS)
def test_what_is_not_known_is_its_own_group(text: str) -> None:
    assert organ_group(text) == text


@pytest.mark.parametrize(
    ("text", "group"),
    [("  Left\t FOO  bar ", "left foo bar"), ("Ｆｏｏ", "foo"), ("Straße", "strasse"), ("  ", "")],
)
def test_an_unknown_organ_is_normalized(text: str, group: str) -> None:
    assert organ_group(text) == group


@pytest.mark.parametrize("text", ["liver", "kidney bean", "", "右肺上叶"])
def test_a_nodal_lesion_is_a_lymph_node_wherever_it_lies(text: str) -> None:
    assert organ_group(text, nodal=True) == "lymph_node"


@pytest.mark.parametrize("table", [ORGANS, REGIONS, TISSUES])
def test_no_synonym_names_two_organs(table: dict[str, str]) -> None:
    synonyms = [synonym for synonyms in table.values() for synonym in synonyms.split(", ")]
    assert len(synonyms) == len(set(synonyms))


@pytest.mark.parametrize(("group", "synonyms"), [*ORGANS.items(), *REGIONS.items()])
def test_every_synonym_alone_names_its_organ(group: str, synonyms: str) -> None:
    for synonym in (*synonyms.split(", "), group):
        assert organ_group(synonym) == group
        assert organ_group(synonym.upper()) == group


@given(st.text(max_size=60))
def test_any_text_has_a_group_that_fits_and_names_itself(text: str) -> None:
    group = organ_group(text)
    assert len(group) <= MAX_LENGTH
    assert organ_group(group) == group


def test_a_ligature_of_many_letters_does_not_outgrow_its_column() -> None:
    assert len(organ_group("\ufdfa" * 100)) <= MAX_LENGTH


@pytest.mark.parametrize("chinese", [False, True])
def test_a_suggested_name_is_read_back_as_its_organ(chinese: bool) -> None:
    names = organ_names(chinese=chinese)
    assert names.keys() == {*ORGANS, *REGIONS, *TISSUES, "lymph_node"}
    assert {group: organ_group(name) for group, name in names.items()} == {g: g for g in names}
    assert all(name.isascii() is not chinese for name in names.values())
    assert len(set(names.values())) == len(names)

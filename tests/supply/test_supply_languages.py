"""Many spellings, one code."""

import json
from importlib.resources import files

import pytest

from mixc.compiler.supply import languages
from mixc.compiler.supply.languages import LanguageCode, canonical, resolve

MUBENCH = """
    af ar az bg bn ca ceb cs da de el en es et fa fi fr ga gu he hi hr hu id is it ja jv kk km kn ko lt lv ml mr ms my
    nl no pa pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh
""".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("spellings", "code"),
    [
        ("no nb nob nor nob_Latn NB", "no"),
        ("nn nno nno_Latn", "nn"),
        ("tl fil tgl fil_Latn", "tl"),
        ("zh cmn zho chi cmn_Hani zh-Hant zh_Hans zh-Hant-TW zh_CN", "zh"),
        ("fa pes fas per pes_Arab", "fa"),
        ("sw swh swa", "sw"),
        ("ms zsm msa", "ms"),
        ("ar arb ara arb_Arab", "ar"),
        ("he iw heb", "he"),
        ("id in ind", "id"),
        ("et est ekk", "et"),
        ("lv lvs lav", "lv"),
        ("az azj aze", "az"),
        ("uz uzn uzb uzn_Latn", "uz"),
        ("ne npi nep", "ne"),
        ("sq als sqi", "sq"),
        ("mn khk mon", "mn"),
        ("jv jav jw", "jv"),
        ("pt pt-BR por_Latn", "pt"),
        ("ja jpn jpn_Jpan", "ja"),
        ("ko kor kor_Hang ko_Kore", "ko"),
        ("ceb ceb_Latn", "ceb"),
        ("zxx", "zxx"),
        ("und und_Cyrl", "und"),
    ],
)
def test_spellings_of_one_language(spellings: str, code: str) -> None:
    assert {canonical(spelling) for spelling in spellings.split()} == {code}


def test_another_script_is_another_thing() -> None:
    assert resolve("hin_Latn") == LanguageCode("hi", "Latn", main=False)
    assert resolve("ru-Latn") == LanguageCode("ru", "Latn", main=False)
    assert resolve("srp_Latn") == LanguageCode("sr", "Latn", main=False)
    assert resolve("uzn_Cyrl") == LanguageCode("uz", "Cyrl", main=False)
    assert [canonical(code) for code in ("hin_Latn", "ru-Latn", "srp_Latn", "uzn_Cyrl")] == [None] * 4
    assert resolve("hin_Latn").tag == "hi_Latn"


@pytest.mark.parametrize(
    "code", ["", "x", "xx", "english", "en-simple", "en_Xxxx", "jv-x-bms", "e n", "en_", "qqq", "no\n"]
)
def test_what_is_no_code(code: str) -> None:
    assert resolve(code) is None


def test_every_mubench_language_keeps_its_spelling() -> None:
    assert len(MUBENCH) == 61
    assert [canonical(code) for code in MUBENCH] == MUBENCH


def test_canonical_codes_resolve_to_themselves_and_spellings_never_clash() -> None:
    data = json.loads(files("mixc.compiler.supply").joinpath("languages.json").read_text(encoding="utf-8"))
    seen: dict[str, str] = {}
    for code, (_, script, _, spellings) in data["languages"].items():
        for spelling in (code, *spellings):
            assert seen.setdefault(spelling, code) == code
            assert resolve(spelling) == LanguageCode(code, script, main=True)
    assert tuple(sorted(data["languages"])) == languages.known_codes()


def test_facts() -> None:
    assert languages.name("nob_Latn") == "Norwegian Bokmål"
    assert languages.name("qqq") == "qqq"
    assert languages.script("hi") == "Deva"
    assert languages.script("hi_Latn") == "Latn"
    assert languages.family("no") == languages.family("de") == "Germanic"
    assert languages.family("eu") is None
    assert [c for c in MUBENCH if not languages.has_words(c)] == ["ja", "km", "my", "th", "zh"]
    assert languages.has_words("ja_Latn")
    assert not languages.has_words("zxx")


def test_default_rates_are_positive_and_absent_without_words() -> None:
    known = languages.registry()
    for script, rates in known.rates.items():
        assert 0.05 < rates.tokens_per_byte < 0.5
        assert (rates.tokens_per_word is None) == (script in known.without_words)
    assert languages.rates("Tibt") == known.rates["other"]


def test_the_data_file_names_its_sources_and_stays_small() -> None:
    file = files("mixc.compiler.supply").joinpath("languages.json")
    assert len(file.read_bytes()) < 150_000
    assert set(languages.registry().source) == {"codes", "scripts", "families", "rates"}

"""Pools: units, rates, aliases, who is in the mixture, overlap, buckets."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from supply_builder import complaints, inline, only, recipe, source, supply_of

from mixc.compiler.laws.density import pool_density
from mixc.compiler.recipe import Domain, Language, Laws, Quality, Rule, Sampling, Selector, SupplyEntry, Term
from mixc.compiler.supply.assumptions import left_aside
from mixc.compiler.supply.languages import rates
from mixc.compiler.supply.pools import build_supply
from mixc.compiler.supply.supply import Conversion
from mixc.dsl.text import SourceText, Span

RECIPE = SourceText("test.mix", "source web { supply = sizes }")
HERE = Span(RECIPE, 0, 10)


def catalog(folder: Path, text: str, name: str = "sizes.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def tokens(made: object) -> dict[tuple[str, str], int]:
    return {(pool.source, pool.language): pool.tokens for pool in supply_of(made).pools}  # type: ignore[arg-type]


def test_tokens_are_read_as_they_are(tmp_path: Path) -> None:
    supply = supply_of(recipe(tmp_path, source(supply=inline(en=5e9, nob=3.4))))
    assert [(p.language, p.tokens, p.rated) for p in supply.pools] == [("en", 5_000_000_000, False), ("no", 3, False)]
    assert supply.inputs[0].units == ("tokens",)
    assert supply.inputs[0].conversions == ()


def test_bytes_and_words_become_tokens_at_assumed_rates(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,words,bytes\nde,,1000\nfr,1000,\nhi,7,1000\n")
    supply = supply_of(recipe(tmp_path, source(supply_file=file)))
    latin, devanagari = rates("Latn"), rates("Deva")
    assert latin.tokens_per_word is not None
    assert {p.language: p.tokens for p in supply.pools} == {
        "de": round(1000 * latin.tokens_per_byte),
        "fr": round(1000 * latin.tokens_per_word),
        "hi": round(1000 * devanagari.tokens_per_byte),
    }
    assert supply.inputs[0].conversions == (
        Conversion("bytes", "Deva", devanagari.tokens_per_byte, True, ("hi",)),
        Conversion("bytes", "Latn", latin.tokens_per_byte, True, ("de",)),
        Conversion("words", "Latn", latin.tokens_per_word, True, ("fr",)),
    )
    assert any("tokens per byte are assumed per script: Deva 0.12, Latn" in line for line in supply.assumptions)


def test_a_stated_rate_is_used_and_not_assumed(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens,words,bytes\nde,,100,1000\nfr,5,100,1000\n")
    by_byte = supply_of(recipe(tmp_path, source(supply_file=file, tokens_per_byte=0.3)))
    assert {p.language: p.tokens for p in by_byte.pools} == {"de": 300, "fr": 5}
    assert by_byte.inputs[0].conversions == (Conversion("bytes", "Latn", 0.3, False, ("de",)),)
    by_word = supply_of(recipe(tmp_path, source(supply_file=file, tokens_per_word=1.5)))
    assert {p.language: p.tokens for p in by_word.pools} == {"de": 150, "fr": 5}
    assert not any("assumed per script" in line for line in by_word.assumptions)


def test_words_mean_nothing_where_they_are_not_written_apart(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,words\nde,1000\nzh,1000\nja,1000\n")
    assert complaints(recipe(tmp_path, source(supply_file=file), languages="de ja zh")) == [
        ("M423", "source `web` gives only words for `zh`, `ja`, written without spaces")
    ]
    supply = supply_of(recipe(tmp_path, source(supply_file=file), languages="de"))
    assert {(u.tag, u.reason) for u in supply.unused} == {("zh", "no words"), ("ja", "no words")}


def test_a_declared_language_without_supply(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,script,bytes\nhi,Latn,517908506\nde,,5000\nko,,0\n")
    declared = (Language("de"), Language("hi", 0.5, span=HERE), Language("ko"))
    made = recipe(tmp_path, source("fw", supply_file=file))
    _, found = build_supply(replace(made, languages=declared))
    assert [(d.code, d.message) for d in found] == [
        ("M302", "language `hi` has no supply"),
        ("M302", "language `ko` has no supply"),
    ]
    assert found[0].labels[0].span == HERE
    assert found[0].labels[0].text == "declared with priority 0.5 here"
    assert found[0].notes == (
        "the sources hold 1 language: de",
        "131M tokens of `fw` are tagged `hi_Latn`",
    )
    assert found[0].helps == ("map it in the source: `aliases = { hi_Latn: hi }`",)
    assert found[1].helps == ("add a source that holds it, or remove the declaration",)


def test_aliases_map_what_the_data_says(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,script,tokens\nhi,Deva,10\nhi,Latn,5\nen-simple,,7\nen,,100\n")
    aliases = (("hin_Latn", "hi"), ("EN-simple", "en"))
    assert tokens(recipe(tmp_path, source(supply_file=file, aliases=aliases))) == {
        ("web", "hi"): 15,
        ("web", "en"): 107,
    }


def test_an_alias_that_matches_nothing_is_reported(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,10\n")
    supply, found = build_supply(recipe(tmp_path, source(supply_file=file, aliases=(("kor", "ko"),))))
    assert supply is not None
    assert only(found).message == "no row of source `web` is tagged `kor`, so its alias has no effect"


def test_unknown_codes_are_counted_and_reported(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,10\nen-simple,6\nxx,7\n")
    supply, found = build_supply(recipe(tmp_path, source(supply_file=file)))
    assert only(found).code == "M427"
    assert "2 codes in source `web` are not known: `en-simple`, `xx`" in only(found).message
    assert supply is not None
    assert [(u.tag, u.tokens, u.reason) for u in supply.unused] == [
        ("xx", 7, "unknown code"),
        ("en-simple", 6, "unknown code"),
    ]


def test_who_is_in_the_mixture(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,10\nde,20\nzxx,5\nund,99\nmul,99\nfr,0\nhi_Latn,4\n")
    everything = source(supply_file=file)
    assert supply_of(recipe(tmp_path, everything)).languages == ("de", "en", "zxx")
    assert supply_of(recipe(tmp_path, everything, languages="en")).languages == ("en",)
    made = recipe(tmp_path, everything, languages="en", all_languages=Language("all", 0.5))
    assert supply_of(made).languages == ("de", "en", "zxx")
    left = supply_of(recipe(tmp_path, everything, languages="en")).unused
    assert [(u.tag, u.tokens, u.reason) for u in left] == [
        ("mul", 99, "no language"),
        ("und", 99, "no language"),
        ("de", 20, "not declared"),
        ("zxx", 5, "not declared"),
        ("hi_Latn", 4, "other script"),
        ("fr", 0, "not declared"),
    ]


def test_what_is_left_aside_is_said(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,10\nde,2e9\nfr,3e9\nhi_Latn,4e6\nxx,1\n")
    supply, _ = build_supply(recipe(tmp_path, source(supply_file=file), languages="en"))
    assert supply is not None
    assert left_aside(supply) == (
        "source web: 2 undeclared languages with 5B tokens not used (fr 3B tokens, de 2B tokens)",
        "source web: 1 language in another script with 4M tokens not used (hi_Latn 4M tokens)",
        "source web: 1 language of unknown code with 1 token not used (xx 1 token)",
    )


def test_the_range_of_the_law_is_said(tmp_path: Path) -> None:
    made = recipe(tmp_path, source(supply=inline(en=5)))
    assert any(line.endswith("252M to 1.2B parameters, checked at 7B") for line in supply_of(made).assumptions)
    large = replace(made, budget=replace(made.budget, params=7e10))
    assert any(line.endswith("; 70B parameters are an extrapolation") for line in supply_of(large).assumptions)


def test_a_source_for_one_language(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,10\nde,20\n")
    supply = supply_of(recipe(tmp_path, source(supply_file=file, language="de")))
    assert [(p.language, p.tokens) for p in supply.pools] == [("de", 20)]
    assert [(u.tag, u.reason) for u in supply.unused] == [("en", "other language")]
    bare = catalog(tmp_path, "tokens\n33\n", "bare.csv")
    assert tokens(recipe(tmp_path, source(supply_file=bare, language="de"))) == {("web", "de"): 33}


def test_overlap_takes_off_what_both_hold(tmp_path: Path) -> None:
    one = source("one", supply=inline(en=1000, de=1000), overlap=(("two", 0.6),))
    two = source("two", supply=inline(de=500))
    assert tokens(recipe(tmp_path, one, two)) == {("one", "en"): 1000, ("one", "de"): 400, ("two", "de"): 500}


def test_an_overlap_may_leave_nothing(tmp_path: Path) -> None:
    one = source("one", supply=inline(de=1000), overlap=(("two", 1.0),))
    assert tokens(recipe(tmp_path, one, source("two", supply=inline(de=500)))) == {("two", "de"): 500}


def test_one_origin_warns_unless_the_overlap_is_stated(tmp_path: Path) -> None:
    file = catalog(tmp_path, "# origin: Common Crawl\nlanguage,tokens\nen,10\nde,20\n")
    one, two = source("one", supply_file=file), source("two", supply=inline(de=500), origin="Common Crawl")
    _, found = build_supply(recipe(tmp_path, one, two))
    assert only(found).code == "M428"
    assert only(found).notes == ("both hold de",)
    stated = source("one", supply_file=file, overlap=(("two", 0.0),))
    assert build_supply(recipe(tmp_path, stated, two))[1] == []
    assert build_supply(recipe(tmp_path, one, two, languages="en"))[1][0].code == "M426"


def test_a_source_of_no_use_is_reported(tmp_path: Path) -> None:
    made = recipe(tmp_path, source("a", supply=inline(en=5)), source("b", supply=inline(fr=5)), languages="en")
    supply, found = build_supply(made)
    assert supply is not None
    assert only(found).message == "source `b` holds no language of the mixture"
    assert only(found).notes == ("it holds: fr",)


def test_nothing_at_all(tmp_path: Path) -> None:
    assert complaints(recipe(tmp_path, source(supply=inline(und=5)))) == [("M425", "no source holds any tokens: `web`")]
    assert complaints(recipe(tmp_path)) == [("M425", "there is no source")]


def test_a_domain_that_nothing_has_is_reported(tmp_path: Path) -> None:
    made = recipe(tmp_path, source("crawl", supply=inline(en=5)))
    assert complaints(replace(made, domains=(Domain("news"),))) == [("M422", "domain `news` has no supply")]


def test_a_bad_catalog_is_reported_once_for_two_sources(tmp_path: Path) -> None:
    file = catalog(tmp_path, "language,tokens\nen,-5\n")
    made = recipe(tmp_path, source("a", supply_file=file, supply_span=HERE), source("b", supply_file=file))
    _, found = build_supply(made)
    assert only(found).code == "M415"
    assert [label.span.place for label in only(found).labels] == ["sizes.csv:2:1", "test.mix:1:1"]


def test_files_are_named_relative_to_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "catalogs").mkdir()
    file = catalog(tmp_path / "catalogs", "# tokenizer: GPT-2\nlanguage,tokens\nen,5\n")
    supply = supply_of(recipe(tmp_path, source(supply_file=file)))
    assert [(f.kind, f.name) for f in supply.files] == [
        ("calibration", "infolaw-2605.02364"),
        ("catalog", "catalogs/sizes.csv"),
    ]
    assert "source web: published tokens are those of GPT-2" in supply.assumptions


def test_rated_pools_have_the_laws_buckets(tmp_path: Path) -> None:
    supply = supply_of(recipe(tmp_path, source(supply=inline(en=10**12 + 7), rated=True)))
    (pool,) = supply.pools
    assert [b.high for b in pool.buckets] == [0.05, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert pool.tokens == 10**12 + 7
    assert pool.buckets[0].tokens == 50_000_000_000
    assert [b.density for b in pool.buckets] == approx([2.718281828459045 ** (-0.922 * d) for d in range(6)])


def test_density_is_stated_or_assumed(tmp_path: Path) -> None:
    domains = (Domain("encyclopedia", density=0.8),)
    sources = (
        source("a", supply=inline(en=5)),
        source("b", supply=inline(en=5), density=1.0),
        source("c", supply=inline(en=5), domain="encyclopedia"),
        source("d", supply=inline(en=100), rated=True, density=0.5),
    )
    supply = supply_of(recipe(tmp_path, *sources, domains=domains))
    assert [pool.buckets[0].density for pool in supply.pools] == [pool_density(supply.law), 1.0, 0.8, 0.5]
    assert [i.density_assumed for i in supply.inputs] == [True, False, False, False]


def test_edges_that_rules_need_are_inserted(tmp_path: Path) -> None:
    rule = Rule("share(best(7%)) >= 5%", (Term(1, "share", Selector(best=0.07)),), ">=", 0.05)
    made = recipe(tmp_path, source(supply=inline(en=10**6), rated=True), rules=(rule,))
    assert supply_of(made).edges == (0.05, 0.07, 0.2, 0.4, 0.6, 0.8, 1.0)
    own = recipe(tmp_path, source(supply=inline(en=10**6), rated=True), quality=Quality(edges=(0.5, 1.0)))
    assert [(b.low, b.high, b.tokens) for b in supply_of(own).pools[0].buckets] == [
        (0, 0.5, 500_000),
        (0.5, 1, 500_000),
    ]


def test_what_only_documents_have_is_refused_or_said_to_be_idle(tmp_path: Path) -> None:
    curve = Domain("web", sampling=Sampling(lam=12, omega=0.35, eta=1, epsilon=0.002))
    rated = Domain("web", weights=(("edu", 1.0),))
    planned = source(supply=inline(en=10**6), rated=True)
    assert complaints(recipe(tmp_path, planned, domains=(curve,))) == [
        ("M424", "`sampling` of domain `web` needs documents, and its supply is published sizes")
    ]
    supply, found = build_supply(recipe(tmp_path, planned, domains=(rated,)))
    assert supply is not None
    assert [(d.code, d.severity) for d in found] == [("M424", "warning")]


@given(st.lists(st.sampled_from(["en", "de", "fr", "no"]), unique=True, min_size=2, max_size=4), st.randoms())
def test_the_order_of_text_never_matters(codes: list[str], random: object) -> None:
    sources = [source(f"s{i}", supply=inline(**{code: 10 + i})) for i, code in enumerate(codes)]
    made = recipe(Path(), *sources)
    random.shuffle(sources)  # type: ignore[attr-defined]
    assert supply_of(recipe(Path(), *sources)).pools == supply_of(made).pools


def test_a_calibration_that_is_not_there(tmp_path: Path) -> None:
    made = recipe(tmp_path, source(supply=inline(en=5)), laws=Laws(infolaw="infolaw-2605.0236", span=HERE))
    assert complaints(made) == [("M430", "no calibration is called `infolaw-2605.0236`")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not complete JSON"),
        ('{"languages": [{"code": "en", "share": 1', "is not complete JSON"),
        ("[]", "holds no list `languages`"),
        ('{"languages": {}}', "holds no list `languages`"),
        ('{"languages": [{"code": "en"}]}', "holds a language without a share between 0 and 1"),
        ('{"languages": [{"code": "en", "share": NaN}]}', "holds a language without a share between 0 and 1"),
        ('{"languages": [{"code": "en", "share": 0.4}]}', "holds language shares that sum to 0.4, not to 1"),
    ],
)
def test_a_manifest_that_cannot_be_compared_with(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "old.json").write_text(text, encoding="utf-8")
    rule = Rule('change("old.json") <= 5%', (Term(1, "change", Selector(), manifest="old.json"),), "<=", 0.05)
    found = complaints(recipe(tmp_path, source(supply=inline(en=5)), rules=(rule,)))
    assert found == [("M435", f"manifest `old.json` cannot be compared with: it {why}")]


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    rule = Rule('change("old.json") <= 5%', (Term(1, "change", Selector(), manifest="old.json"),), "<=", 0.05)
    found = complaints(recipe(tmp_path, source(supply=inline(en=5)), rules=(rule, rule)))
    assert found == [("M435", "manifest `old.json` cannot be read: no such file or directory")]


def test_inline_units(tmp_path: Path) -> None:
    rows = (SupplyEntry("de", 1000, "bytes"), SupplyEntry("fr", 1000, "words"), SupplyEntry("en", 9, "tokens"))
    supply = supply_of(recipe(tmp_path, source(supply=rows, tokens_per_byte=0.25, tokens_per_word=2.0)))
    assert {p.language: p.tokens for p in supply.pools} == {"de": 250, "en": 9, "fr": 2000}

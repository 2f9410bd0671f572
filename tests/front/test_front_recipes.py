"""What recipes mean: the language page's recipes and small ones, as the values that later passes read."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from front_recipe import BASE, check

from mixc.compiler.front import load_recipe
from mixc.compiler.recipe import (
    Domain,
    Evaluation,
    Group,
    Language,
    LanguageLaw,
    Laws,
    Quality,
    Rater,
    Sampling,
    Selector,
    Strategy,
    SupplyEntry,
    Target,
)


def test_hello(tmp_path: Path) -> None:
    text = (
        "# The smallest recipe.\nrecipe hello\n"
        'source web { path = "data/web/*.parquet", epochs <= 4 }\nbudget { model = 124M params, tokens = 10B tokens }\n'
    )
    recipe = check(tmp_path, "", head=text)
    assert recipe.name == "hello"
    assert recipe.path == str(tmp_path / "recipe.mix")
    assert recipe.description == "The smallest recipe."
    assert (recipe.budget.params, recipe.budget.tokens, recipe.budget.flops) == (124e6, 10_000_000_000, 7.44e18)
    (web,) = recipe.sources
    assert (web.paths, web.domain, web.rated, web.eos, web.ids) == (
        ("data/web/*.parquet",),
        "und",
        False,
        True,
        "unique",
    )
    assert web.limit is not None
    assert (web.limit.passes, web.limit.place) == (4.0, "recipe.mix:3")
    assert [(file.name, file.sha256) for file in recipe.files] == [("recipe.mix", sha256(text.encode()).hexdigest())]


@pytest.mark.parametrize(
    ("budget", "params", "tokens", "flops"),
    [
        ("model = 1B params, tokens = 20B tokens", 1e9, 20_000_000_000, 1.2e20),
        ("model = 1B params, compute = 1.2e20 FLOPs", 1e9, 20_000_000_000, 1.2e20),
        ("tokens = 20B tokens, compute = 1.2e20 FLOPs", 1e9, 20_000_000_000, 1.2e20),
        ("model = 1B params, tokens = 20B tokens, compute = 1.204e20 FLOPs", 1e9, 20_000_000_000, 1.204e20),
        ("model = 1B params, tokens = 20B tokens, flops_per_param_token = 8", 1e9, 20_000_000_000, 1.6e20),
        ("model = 1B params, tokens = 20 tokens/param * budget.model", 1e9, 20_000_000_000, 1.2e20),
        ("compute = 1.2e20 FLOPs, ratio within 20 tokens/param .. 50 tokens/param", None, None, 1.2e20),
    ],
)
def test_budget(tmp_path: Path, budget: str, params: float | None, tokens: int | None, flops: float) -> None:
    head = "recipe r\nsource web { supply = { en: 1T tokens }, epochs <= 4 }\n"
    found = check(tmp_path, f"budget {{ {budget} }}\n", head=head).budget
    assert (found.params, found.tokens, found.flops) == (params, tokens, flops)


def test_budget_bounds_reach_the_search(tmp_path: Path) -> None:
    head = "recipe r\nsource web { supply = { en: 1T tokens }, epochs <= 4 }\n"
    body = "budget { compute = 1e21 FLOPs, ratio within 20 tokens/param .. 50 tokens/param, model <= 3B params }\n"
    bounds = check(tmp_path, body, head=head).budget.bounds
    assert [(b.key, b.sense, b.figure.value, b.figure.text) for b in bounds] == [
        ("ratio", ">=", 20.0, "20 tokens/param"),
        ("ratio", "<=", 50.0, "50 tokens/param"),
        ("model", "<=", 3e9, "3B params"),
    ]


def test_names_with_spaces_are_strings(tmp_path: Path) -> None:
    found = check(tmp_path, 'domain "Arts & Ent" { density = 0.5 }\nrequire share("Arts & Ent") <= 5%\n')
    assert found.domains == (Domain("Arts & Ent", density=0.5),)
    assert found.rules[0].terms[0].of == Selector(domains=("Arts & Ent",))


def test_groups_of_groups(tmp_path: Path) -> None:
    found = check(tmp_path, "group both = [north, de, no]\ngroup north = [nb, da]\ngroup places = [web]\n")
    assert set(found.groups) == {
        Group("both", "language", ("no", "da", "de")),
        Group("north", "language", ("no", "da")),
        Group("places", "source", ("web",)),
    }


def test_languages(tmp_path: Path) -> None:
    body = """\
languages [en, de] { priority = 2 }
# Bokmål
language nb { transfer = { de: 5%, en: 10% }, cost = { en: 1% }, loss = { floor: 1.5, scale: 2, exponent: 0.3 } }
languages all { priority = 0.5 }
"""
    found = check(tmp_path, body)
    assert found.languages == (
        Language("en", 2.0),
        Language("de", 2.0),
        Language(
            "no",
            1.0,
            (("de", 0.05), ("en", 0.1)),
            (("en", 0.01),),
            LanguageLaw(1.5, 2.0, 0.3),
            "Bokmål",
        ),
    )
    assert found.all_languages == Language("all", 0.5)


def test_kinds_of_later_parts(tmp_path: Path) -> None:
    body = """\
rater edu { column = "edu_score", range = 0 .. 5, missing = worst }
rater ppl { column = "perplexity", better = lower, scope = global }
rater mu { kind = murating, model = "org/model" }
target gsm { path = "gsm.jsonl", layers = [0, 5], top_k = 20, tokens = 120 tokens, fraction = 20%, scope = pool }
domain news { weights = { edu: 0.7, ppl: 0.3 }, sampling = { lambda: 12, omega: 35%, eta: 1.0, epsilon: 0.002 } }
domain forums { sampling = { temperature: 2 } }
quality { buckets = [5%, 20%, 100%], normalize = zscore, order = epochs }
law infolaw { calibration = "infolaw-2605.02364" }
law transfer { form = linear, calibration = family(0.1), signal = tokens }
mixture { strategy = unimax, epochs = 4 }
evaluate { suite = mubench, panel = early, holdout = 0.1% }
"""
    found = check(tmp_path, body)
    assert found.raters == (
        Rater("edu", "edu_score", range=(0.0, 5.0), missing="worst"),
        Rater("ppl", "perplexity", better="lower", scope="global"),
        Rater("mu", kind="murating", model="org/model"),
    )
    assert found.targets == (
        Target("gsm", "gsm.jsonl", layers=(0, 5), top_k=20, tokens=120, fraction=0.2, scope="pool"),
    )
    assert found.domains == (
        Domain("news", (("edu", 0.7), ("ppl", 0.3)), Sampling(12.0, 0.35, 1.0, 0.002)),
        Domain("forums", sampling=Sampling(temperature=2.0)),
    )
    assert found.quality == Quality((0.05, 0.2, 1.0), "zscore", "epochs")
    assert found.laws == Laws(family=0.1, form="linear", signal="tokens")
    assert found.strategy == Strategy("unimax", epochs=4.0)
    assert found.evaluations == (Evaluation("mubench", "early", holdout=0.001),)


def test_source(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.mix").write_text(
        "recipe base\nbudget { model = 1B params, tokens = 20B tokens }\n"
        'source docs { path = ["docs/*.parquet", "s3://b/*.jsonl"], epochs <= 2, ids = per-file, eos = false,\n'
        '  columns = { text: "body", tokens: tokenizer("gpt2") }, license = "MIT",\n'
        '  aliases = { nob: no, "zh-tw": zh } }\n'
        'source plan { supply = "sizes.csv", epochs <= 3, assume = rated, overlap = { docs: 20% },\n'
        "  origin = common-crawl,\n"
        "  tokens_per_byte = 0.25, tokens_per_word = 1.5 tokens/word }\n"
    )
    docs, plan, inline = check(
        tmp_path,
        "source inline { supply = { nb: 2B bytes, de: 3M words, en: 5K tokens }, epochs <= 1, density = 80% }\n",
        head='recipe r extends "shared/base.mix"\n',
    ).sources
    assert docs.paths == ("shared/docs/*.parquet", "s3://b/*.jsonl")
    assert docs.columns == (("text", "body"), ("tokens", 'tokenizer("gpt2")'))
    assert docs.aliases == (("nob", "no"), ("zh-tw", "zh"))
    assert (docs.ids, docs.eos, docs.license) == ("per-file", False, "MIT")
    assert plan.supply_file == str(tmp_path / "shared" / "sizes.csv")
    assert (plan.rated, plan.overlap, plan.origin) == (True, (("docs", 0.2),), "common-crawl")
    assert (plan.tokens_per_byte, plan.tokens_per_word) == (0.25, 1.5)
    assert inline.density == 0.8
    assert inline.supply == (
        SupplyEntry("no", 2e9, "bytes"),
        SupplyEntry("de", 3e6, "words"),
        SupplyEntry("en", 5e3, "tokens"),
    )


def test_phases_override_and_import(tmp_path: Path) -> None:
    (tmp_path / "base.mix").write_text(BASE + "param size = 1B params\nlanguages [en, de] {}\n")
    (tmp_path / "math.mix").write_text(
        "recipe math\nparam share = 30%\n"
        "source finemath { supply = { en: 34.1B tokens }, domain = mathematics, assume = rated, epochs <= 4 }\n"
    )
    body = """\
import math = "math.mix"
override param size = 7B params
override budget { model = size, seed = 3, tokens = 30B tokens }
override language de { priority = 2 }
param cooldown = 10%
phase anneal {
  after  = pretrain
  budget = cooldown * budget.tokens
  override source web { epochs <= 1 }
  source extra = math.finemath
  require share(mathematics) <= math.share
}
phase pretrain { budget = (100% - cooldown) * budget.tokens }
require quality(anneal) >= quality(pretrain) + 10%
"""
    found = check(tmp_path, body, head='recipe r extends "base.mix"\n')
    assert (found.budget.params, found.budget.tokens, found.budget.seed) == (7e9, 30_000_000_000, 3)
    assert [(phase.name, phase.fraction) for phase in found.phases] == [("pretrain", 0.9), ("anneal", 0.1)]
    assert [(one.code, one.priority) for one in found.languages] == [("en", 1.0), ("de", 2.0)]
    web, extra = found.sources
    assert [(name, limit.passes, limit.place) for name, limit in web.phase_limits] == [("anneal", 1.0, "recipe.mix:10")]
    assert (extra.name, extra.phases, extra.domain) == ("extra", ("anneal",), "mathematics")
    assert extra.limit is not None
    assert extra.limit.place == "math.mix:3"
    assert [(r.text, r.phase, r.bound) for r in found.rules] == [
        ("quality(anneal) >= quality(pretrain) + 10%", None, 0.1),
        ("share(mathematics) <= math.share", "anneal", 0.3),
    ]
    assert [file.name for file in found.files] == ["base.mix", "math.mix", "recipe.mix"]


def test_a_source_may_serve_two_phases(tmp_path: Path) -> None:
    (tmp_path / "math.mix").write_text("recipe math\nsource m { supply = { en: 3B tokens }, epochs <= 4 }\n")
    body = """\
import math = "math.mix"
phase a { budget = 50% * budget.tokens, source m = math.m }
phase b { after = a, budget = 10B tokens, source m = math.m }
"""
    assert check(tmp_path, body).sources[1].phases == ("a", "b")


def test_none_removes_an_inherited_attribute(tmp_path: Path) -> None:
    (tmp_path / "base.mix").write_text(
        "recipe base\nbudget { model = 1B params, compute = 1.2e20 FLOPs, ratio <= 30 tokens/param }\n"
        "source web { supply = { en: 1T tokens }, domain = web-text, epochs <= 4 }\n"
    )
    body = (
        "override budget { compute = none, tokens = 50B tokens, ratio = none }\noverride source web { domain = none }\n"
    )
    found = check(tmp_path, body, head='recipe r extends "base.mix"\n')
    assert (found.budget.tokens, found.budget.bounds) == (50_000_000_000, ())
    assert found.sources[0].domain == "und"


@pytest.mark.parametrize(
    ("given", "params"),
    [({}, 1.2e9), ({"size": "7B"}, 7e9), ({"size": "3.5e9 params"}, 3.5e9), ({"size": "2 * small"}, 2e8)],
)
def test_params_from_the_command_line(tmp_path: Path, given: dict[str, str], params: float) -> None:
    head = "recipe r\nparam size = 1.2B params\nparam small = 100M params\n"
    head += "budget { model = size, tokens = 1B tokens }\n"
    body = 'param root = "/data"\nsource w { path = "${root}/*.jsonl", epochs <= 1 }\n'
    found = check(tmp_path, body, head=head, params={**given, "root": "/mnt/with space"})
    assert found.budget.params == params
    assert found.sources[0].paths == ("${root}/*.jsonl",)
    assert found.places == {"root": "/mnt/with space"}
    assert dict(found.params) == given


def test_outside_is_allowed_by_the_flag(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "base.mix").write_text(BASE)
    (inside / "link.mix").symlink_to(tmp_path / "base.mix")
    for name in ("../base.mix", "link.mix"):
        path = inside / "recipe.mix"
        path.write_text(f'recipe r extends "{name}"\n')
        recipe, found = load_recipe(path)
        assert recipe is None
        assert [diagnostic.code for diagnostic in found] == ["M116"]
        assert load_recipe(path, allow_outside=True)[0] is not None


def test_order_never_matters(tmp_path: Path) -> None:
    lines = (
        "budget { model = size, tokens = 20B tokens }\nparam size = 1B params\nlanguages [en, de] { priority = 1 }\n"
        "group both = [en, de]\nsource web { supply = { en: 1T tokens }, epochs <= 4 }\nrequire share(both) >= 50%\n"
    ).splitlines(keepends=True)
    forward = check(tmp_path, "".join(lines), head="recipe r\n")
    backward = check(tmp_path, "".join(reversed(lines)), head="recipe r\n")
    for name in ("budget", "sources", "languages", "groups", "rules"):
        assert getattr(forward, name) == getattr(backward, name)

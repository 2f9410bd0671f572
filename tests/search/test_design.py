"""`mixc design quadmix` and `mixc fit quadmix` on a pool: what is written checks, compiles, and comes out the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest import approx
from typer.testing import CliRunner

from mixc.backends.quadmix.sampler import draw_parameters
from mixc.backends.search import backend
from mixc.backends.search.backend import DesignSettings, FitSettings, design, fit
from mixc.backends.search.recipes import number, rounded, word
from mixc.backends.search.space import fractions
from mixc.compiler.cli.app import app
from mixc.compiler.cli.fit import fit as fit_app
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.recipe import Recipe
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.examples import shown
from tests.selection import pool

RUNS = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pool and its recipe, one source of which nobody rates."""
    folder = tmp_path_factory.mktemp("design")
    pool.plain_pool(folder, shards=1)
    return folder


def designed(place: Path, name: str, **wanted: object) -> tuple[Path, str, list[Diagnostic]]:
    settings = DesignSettings(RUNS, **wanted)  # type: ignore[arg-type]
    told, found = design(Artefacts(place / "pool.mix"), place / name, settings)
    assert told is not None, pool.told(found)
    return place / name, told, found


def loaded(path: Path) -> Recipe:
    recipe, found = load_recipe(path, allow_outside=True)
    assert recipe is not None and not has_errors(found), pool.told(found)
    return recipe


def test_every_experiment_is_a_recipe_of_the_draw(place: Path) -> None:
    folder, told, _ = designed(place, "experiments")
    table = pq.read_table(folder / "experiments.parquet").to_pylist()
    assert len(table) == RUNS == len(list(folder.glob("*.mix"))) and "--allow-outside" in told
    for row in table:
        recipe = loaded(folder / row["recipe"])
        assert (recipe.budget.params, recipe.budget.tokens, recipe.budget.seed) == (10**6, row["tokens"], 0)
        taken = {}
        for domain in recipe.domains:
            curve = domain.sampling
            assert curve is not None
            said = [row[f"{name}:{domain.name}"] for name in ("lambda", "omega", "eta", "epsilon")]
            assert [curve.lam, curve.omega, curve.eta, curve.epsilon] == approx(said, rel=1e-12)
            assert dict(domain.weights) == approx({r: row[f"alpha:{domain.name}:{r}"] for r in ("edu", "fine")})
            taken[domain.name] = fractions(np.array(said)) * row[f"supply:{domain.name}"]
        (pinned,) = [rule for rule in recipe.rules if rule.sense == "=="]
        shares = {term.of.domains[0]: term.coefficient for term in pinned.terms if term.of.domains}
        assert abs(sum(coefficient * taken[name] for name, coefficient in shares.items())) < 1e-5 * sum(taken.values())


def test_an_experiment_compiles_to_the_shares_of_its_curves(place: Path) -> None:
    folder, _, _ = designed(place, "compiled")
    row = pq.read_table(folder / "experiments.parquet").to_pylist()[1]
    made, found = run_passes(COMPILE, Artefacts(folder / row["recipe"], allow_outside=True))
    assert made.manifest is not None, pool.told(found)
    tokens = {"news": 0.0, "forums": 0.0}
    for cell in made.manifest.mixture:
        if cell.domain in tokens:
            tokens[cell.domain] += cell.tokens
    taken = {
        name: float(fractions(np.array([row[f"{p}:{name}"] for p in ("lambda", "omega", "eta", "epsilon")])))
        * row[f"supply:{name}"]
        for name in tokens
    }
    assert tokens["news"] / sum(tokens.values()) == approx(taken["news"] / sum(taken.values()), abs=2e-3)


def test_mixtures_are_shares_of_domains(place: Path) -> None:
    folder, _, _ = designed(place, "mixtures", mixtures=True)
    for row in pq.read_table(folder / "experiments.parquet").to_pylist():
        shares = {name.removeprefix("share:"): value for name, value in row.items() if name.startswith("share:")}
        assert sum(shares.values()) == approx(1.0, abs=1e-9) and set(shares) == {"news", "forums", "books"}
        said = {
            rule.terms[0].of.domains[0]: rule.bound
            for rule in loaded(folder / row["recipe"]).rules
            if rule.sense == "==" and rule.terms[0].of.domains
        }
        assert said == approx({name: shares[name] for name in said}, abs=1e-6) and len(said) == 2
    made, found = run_passes(COMPILE, Artefacts(folder / "0001.mix", allow_outside=True))
    assert made.manifest is not None, pool.told(found)


def test_the_same_seed_gives_the_same_bytes(place: Path) -> None:
    first, _, _ = designed(place, "first", seed=3)
    again, _, _ = designed(place, "again", seed=3)
    other, _, _ = designed(place, "other", seed=4)
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes()
        assert path.read_bytes() != (other / path.name).read_bytes()
    assert [path.name for path in place.iterdir() if path.name.startswith(".f")] == []


def test_what_a_design_refuses(place: Path, tmp_path: Path) -> None:
    def code(path: Path, folder: Path, about: str = "", more: str = "", **wanted: object) -> list[str]:
        told, found = design(Artefacts(path), folder, DesignSettings(RUNS, **wanted))  # type: ignore[arg-type]
        assert told is None
        codes = [one.code for one in found if one.severity == "error"]
        if about:
            command = f"mixc design quadmix {path.name} --runs 8{more} -o {folder.name}"
            shown(codes[0], found, about=about, command=command, at=folder.parent, numbers=False)
        return codes

    recipe = place / "pool.mix"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept").write_text("losses")
    assert code(recipe, tmp_path / "full", "The folder `full` holds a file `kept`.") == ["M758"]
    assert code(recipe, tmp_path / "full" / "kept" / "x", "`kept` is a file.") == ["M759"]
    pool_has = "The pool holds some 9 million tokens."
    assert code(recipe, tmp_path / "x", pool_has, " --tokens 1B", tokens=10**9) == ["M756"]
    little = "A thousand tokens are less than a document of each domain."
    assert code(recipe, tmp_path / "x", little, " --tokens 1000", tokens=1000) == ["M761"]
    assert code(tmp_path / "none.mix", tmp_path / "x") == ["M009"]
    plain = pool.recipe(tmp_path / "plain", "recipe plain\nsource s { supply = { en: 1B tokens } }\n" + pool.BUDGET)
    assert code(plain, tmp_path / "x", "The only source of the recipe is `supply = { en: 1B tokens }`.") == ["M763"]
    pool.write(tmp_path / "one" / "library", pool.unrated(), shards=1)
    books = pool.recipe(tmp_path / "one", "recipe one\n" + pool.BOOKS + pool.BUDGET)
    assert code(books, tmp_path / "x") == ["M751"]
    only = "The only source of the recipe is a library, with `domain = books`."
    assert code(books, tmp_path / "x", only, " --mixtures", mixtures=True) == ["M762"]
    assert not (tmp_path / "x").exists()


def test_draws_that_cannot_fill_the_budget_are_told(place: Path) -> None:
    _, told, found = designed(place, "large")
    assert "M757" in [one.code for one in found] and "more were drawn" in told
    shown("M757", found, command="mixc design quadmix pool.mix --runs 8 -o large", at=place, numbers=False)


@pytest.fixture(scope="module")
def proxies(place: Path) -> Path:
    """A design of 40 runs with losses that want omega of news at 0.06 and the weight of `fine` high."""
    folder = place / "forty"
    told, found = design(Artefacts(place / "pool.mix"), folder, DesignSettings(40))
    assert told is not None, pool.told(found)
    table = pq.read_table(folder / "experiments.parquet")
    omega, fine = table["omega:news"].to_numpy(), table["alpha:news:fine"].to_numpy()
    losses = 3 + 4 * (omega / 0.1 - 0.6) ** 2 + (1 - fine) ** 2
    path = folder / "proxies.parquet"
    pq.write_table(table.set_column(table.column_names.index("loss"), "loss", pa.array(losses)), path)
    return path


def test_what_is_found_is_a_recipe_with_its_evidence(place: Path, proxies: Path) -> None:
    told, found = fit(proxies, loaded(place / "pool.mix"), place / "found.mix", FitSettings(draws=2000))
    assert told is not None, pool.told(found)
    text = (place / "found.mix").read_text()
    recipe, problems = load_recipe(place / "found.mix")
    assert recipe is not None and not has_errors(problems)
    news = next(domain for domain in recipe.domains if domain.name == "news")
    assert news.sampling is not None and news.sampling.omega == approx(0.06, abs=0.02)
    assert dict(news.weights)["fine"] > 0.6
    assert all(f"# {line}".rstrip() in text for line in told.splitlines()) and "require share(domain." in text
    again, _ = fit(proxies, loaded(place / "pool.mix"), place / "found.mix", FitSettings(draws=2000))
    assert again == told and (place / "found.mix").read_text() == text


def test_what_a_fit_refuses(place: Path, proxies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = loaded(place / "pool.mix")

    def codes(table: Path, output: Path, about: str = "") -> list[str]:
        told, found = fit(table, recipe, output, FitSettings(draws=500))
        assert told is None
        if about:
            command = f"mixc fit quadmix proxies.parquet --recipe pool.mix -o {output.name}"
            shown(found[0].code, found, about=about, command=command, at=place)
        return [one.code for one in found]

    assert codes(proxies, place / "found.json", "What is found is a recipe.") == ["M760"]
    assert codes(proxies, place / "pool.mix") == ["M760"]
    mixed = tmp_path / "mixed.parquet"
    shares = np.random.default_rng(1).dirichlet(np.ones(2), 40)
    pq.write_table(pa.table({"web": shares[:, 0], "sea": shares[:, 1], "loss": shares[:, 0]}), mixed)
    assert codes(mixed, place / "mixed.mix") == ["M761"] and not (place / "mixed.mix").exists()

    def missing(*_: object, **__: object) -> None:
        raise ImportError("lightgbm")

    monkeypatch.setattr(backend, "search", missing)
    assert codes(proxies, place / "none.mix", "The package `lightgbm` is not installed.") == ["M750"]


def test_what_a_fit_warns_of(place: Path, proxies: Path, tmp_path: Path) -> None:
    table = pq.read_table(proxies)
    omega = table["omega:news"].to_numpy()
    noise = np.random.default_rng(2).standard_normal(len(omega))
    for losses, code in ((3 - omega, "M755"), (noise, "M754")):
        path = tmp_path / f"{code}.parquet"
        pq.write_table(table.set_column(table.column_names.index("loss"), "loss", pa.array(losses)), path)
        _, found = fit(path, loaded(place / "pool.mix"), place / f"{code}.mix", FitSettings(draws=500))
        assert code in [one.code for one in found]
        about = {
            "M755": "The loss falls with `omega` of `news` up to the largest value that was tried.",
            "M754": "The losses have nothing to do with the parameters.",
        }[code]
        command = "mixc fit quadmix proxies.parquet --recipe pool.mix -o found.mix"
        shown(code, found, about=about, command=command, at=place, numbers=False)


def test_the_commands(place: Path, proxies: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(app, ["design", "quadmix", str(place / "pool.mix"), "--runs", "2", "-o", str(place / "cli")])
    assert "wrote" in made.output and (place / "cli" / "0002.mix").exists()
    for wrong in (["--tokens", "many"], ["--model", "0M"], ["--runs", "0"]):
        assert runner.invoke(app, ["design", "quadmix", str(place / "pool.mix"), "-o", "x", *wrong]).exit_code == 2
    arguments = ["quadmix", str(proxies), "--recipe", str(place / "pool.mix"), "-o", str(place / "cli.mix")]
    for wrong in (["--loss", "loss=0"], ["--loss", "a", "--loss", "a"], ["--cap", "2"]):
        assert runner.invoke(fit_app, [*arguments, *wrong]).exit_code == 2


def test_experiments_are_ready_to_run(place: Path, tmp_path: Path) -> None:
    """The manifests are those that `mixc compile` gives, and a run takes them as they are."""
    runner, folder = CliRunner(), place / "ready"
    made = runner.invoke(app, ["design", "quadmix", str(place / "pool.mix"), "--runs", "3", "-o", str(folder)])
    assert f"each: mixc run {folder}/0001.manifest.json" in made.output
    assert f"--recipe {place / 'pool.mix'} -o found.mix" in made.output
    assert sorted(path.name for path in folder.glob("*.manifest.json")) == [f"000{i}.manifest.json" for i in (1, 2, 3)]
    one = str(folder / "0002.mix")
    assert runner.invoke(app, ["compile", one, "--allow-outside", "--check"]).exit_code == 0
    ran = runner.invoke(app, ["run", str(folder / "0002.manifest.json"), "-o", str(tmp_path / "selection")])
    assert ran.exit_code == 0, ran.output


def test_an_experiment_without_a_mixture_is_told(place: Path) -> None:
    recipe = place / "tight.mix"
    recipe.write_text('recipe tight extends "pool.mix"\nrequire share(news) >= 60%\nrequire share(forums) >= 30%\n')
    folder = place / "tight"
    made = CliRunner().invoke(app, ["design", "quadmix", str(recipe), "--runs", "4", "-o", str(folder)])
    assert made.exit_code == 0
    assert "warning[M764]" in made.output and "of 4 experiments have no manifest" in made.output
    command = "mixc design quadmix tight.mix --runs 4 -o tight"
    shown("M764", made.output, files=[recipe], command=command, at=place, numbers=False)
    assert len(list(folder.glob("*.mix"))) == 4
    assert len(list(folder.glob("*.manifest.json"))) < 4


def test_numbers_and_names_as_recipes_write_them() -> None:
    assert [number(value) for value in (1e-05, 1000.0, 0.25, 0.0)] == ["0.00001", "1000", "0.25", "0"]
    assert [word(name) for name in ("web-en", "Arts & Ent", 'a"b')] == ["web-en", '"Arts & Ent"', '"a\\"b"']
    theta = rounded(draw_parameters(50, 3, 4, lambda_law="log", seed=1))
    assert theta[..., :4].sum(axis=2) == approx(1.0, abs=1e-12) and (theta[..., -4:] > 0).all()


def test_what_to_type_next_has_the_parameters_that_were_given(place: Path) -> None:
    recipe = place / "param.mix"
    text = (place / "pool.mix").read_text()
    first = next(line for line in text.splitlines() if line.startswith("recipe"))
    recipe.write_text(text.replace(first, f"{first}\nparam words = 1M tokens", 1))
    folder = place / "given"
    asked = [
        "design",
        "quadmix",
        str(recipe),
        "--runs",
        "2",
        "-o",
        str(folder),
        "--recipes",
        "--param",
        "words=2M tokens",
    ]
    made = CliRunner().invoke(app, asked)
    assert f"each: mixc compile {folder}/0001.mix --param 'words=2M tokens'" in made.output, made.output
    assert f"--recipe {recipe} --param 'words=2M tokens' -o found.mix" in made.output

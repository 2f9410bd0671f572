"""An evaluation plan as tasks of lm-evaluation-harness: a file per task and group, a script, and how to use them.

Data come from `aialt/MuBench` on the hub, or from local files `ROOT/CONFIG/test.jsonl`: one JSON object a line with
`prompt` (text), `choices` (list of texts), `label` (number of the right one, from 0) and `_id`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from mixc.backends.mubench.plan import SUITE, EvaluationPlan, PlannedTask
from mixc.backends.mubench.record import recorded
from mixc.backends.mubench.tasks import DATASETS, parsed
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, page

VERSION: Final = 1.0
SPLIT: Final = "test"
FILE: Final = f"{SPLIT}.jsonl"
README, SCRIPT = "README.md", "run.sh"
CAPABILITY: Final = Capability(
    reads="the evaluation plan",
    needs="`--dataset-root` for local files",
    unit="none",
    exact="tasks as planned",
    phases="none",
    caps="none",
    verified="lm-eval 0.4.13 ran it, in the tests",
)


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """The tasks of the evaluation plan that a manifest states."""
    rows = [one for one in manifest.evaluations if one.suite == SUITE]
    if not rows:
        return None, [no_evaluation(manifest.recipe.name)]
    root = None if settings.dataset_root is None else Path(settings.dataset_root)
    return files(recorded(rows[0], [one for one in manifest.tasks if one.suite == SUITE]), root), []


def files(plan: EvaluationPlan, dataset_root: Path | None = None) -> Mapping[str, str]:
    """Relative path to text of everything that is exported.

    With a `dataset_root` tasks load local files, whose path is written as it was given; a relative one is seen from
    the folder where `lm_eval` is started.
    """
    made: dict[str, str] = {}
    ours = [one for one in plan.tasks if parsed(one.task)]
    for dataset, members in groupby(ours, lambda one: one.dataset):
        tasks = list(members)
        for one in tasks:
            made[f"{plan.include_path}/{dataset}/{one.task}.yaml"] = task_text(one, dataset_root)
        made[f"{plan.include_path}/{dataset}/_{dataset}_mubench.yaml"] = group_text(dataset, tasks)
    made[SCRIPT] = _script(plan)
    made[README] = _readme(plan, dataset_root)
    return dict(sorted(made.items()))


def local_file(root: Path, config: str) -> str:
    """Where a configuration lies below a root, with forward slashes."""
    return (root / config / FILE).as_posix()


def task_text(one: PlannedTask, root: Path | None) -> str:
    """The YAML of one task: the prompt and every choice as they stand, compared by log-likelihood, without examples."""
    assert one.config is not None and one.dataset_path is not None
    if root is None:
        data = [f"dataset_path: {one.dataset_path}", f"dataset_name: {one.config}"]
        if one.revision is not None:
            data += ["dataset_kwargs:", f"  revision: {_quoted(one.revision)}"]
    else:
        place = _quoted(local_file(root, one.config))
        data = ["dataset_path: json", "dataset_kwargs:", "  data_files:", f"    {SPLIT}: {place}"]
    metrics = [
        line
        for metric in DATASETS[one.dataset].metrics
        for line in (f"  - metric: {metric}", "    aggregation: mean", "    higher_is_better: true")
    ]
    lines = [
        f"task: {one.task}",
        *data,
        f"test_split: {SPLIT}",
        "output_type: multiple_choice",
        "num_fewshot: 0",
        "doc_to_text: prompt",
        "doc_to_choice: choices",
        "doc_to_target: label",
        "metric_list:",
        *metrics,
        "metadata:",
        f"  version: {VERSION}",
        f"  config: {one.config}",
    ]
    return "\n".join(lines) + "\n"


def group_text(dataset: str, tasks: list[PlannedTask]) -> str:
    """The YAML of all languages of one dataset: their mean, every item counted once."""
    metrics = [
        line
        for metric in DATASETS[dataset].metrics
        for line in (f"  - metric: {metric}", "    aggregation: mean", "    weight_by_size: true")
    ]
    lines = [
        f"group: {DATASETS[dataset].group}",
        "task:",
        *(f"  - {one.task}" for one in tasks),
        "aggregate_metric_list:",
        *metrics,
        "metadata:",
        f"  version: {VERSION}",
    ]
    return "\n".join(lines) + "\n"


def names(plan: EvaluationPlan) -> tuple[str, ...]:
    """What `--tasks` takes: the group of every dataset; guards by their own names."""
    return tuple(dict.fromkeys(DATASETS[one.dataset].group if parsed(one.task) else one.task for one in plan.tasks))


def _quoted(text: str) -> str:
    """A string that YAML and JSON read alike."""
    return json.dumps(text, ensure_ascii=False)


def _command(plan: EvaluationPlan, include: str, output: str, model: str) -> list[str]:
    lines = [f"lm_eval run --model hf --model_args pretrained={model}", f"  --tasks {','.join(names(plan))}"]
    if any(parsed(one.task) for one in plan.tasks):
        lines.append(f"  --include_path {include}")
    return [*lines, f"  --output_path {output}", "  --log_samples"]


def _script(plan: EvaluationPlan) -> str:
    command = _command(plan, f'"$here/{shlex.quote(plan.include_path)}"', '"$2"', '"$1"')
    words = " \\\n".join([*command, '  "${@:3}"'])
    return (
        "#!/usr/bin/env bash\n"
        "# Evaluates a model on the plan: run.sh MODEL OUTPUT [more options of lm_eval]\n"
        "set -euo pipefail\n"
        'if [ "$#" -lt 2 ]; then echo "usage: $0 MODEL OUTPUT [options of lm_eval]" >&2; exit 2; fi\n'
        'here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\n'
        f"{words}\n"
    )


def _readme(plan: EvaluationPlan, root: Path | None) -> str:
    languages = ", ".join(plan.languages)
    ours = [one for one in plan.tasks if parsed(one.task)]
    lines = [
        f"# Evaluation: panel `{plan.panel}`",
        "",
        f"{len(plan.tasks)} tasks in {len(plan.languages)} languages ({languages}) for {plan.harness}.",
    ]
    if plan.uncovered:
        lines += ["", f"Not covered, so not evaluated: {', '.join(plan.uncovered)}."]
    shown = " \\\n".join(_command(plan, plan.include_path, "OUTPUT", "MODEL"))
    lines += ["", "```sh", shown, "```", ""]
    lines.append(
        "`MODEL` is a folder or a name on the hub, `OUTPUT` the folder of the results. `bash run.sh MODEL OUTPUT` "
        "does the same from any folder; more options of `lm_eval` may follow (`--batch_size 8`, `--device cuda`). "
        "Without `--log_samples` agreement between languages cannot be counted."
    )
    lines += ["", "```sh", "mixc mubench OUTPUT --manifest NAME.manifest.json", "```", "", "## Data", ""]
    if not ours:
        lines += ["These are tasks of the harness itself, which loads their data from the hub."]
    elif root is None:
        lines.append(
            f"Tasks load `{ours[0].dataset_path}` from the hub, {_revision(ours[0])}. mixc has not run this: it was "
            "tested with local files only. `mixc export --to lm-eval --dataset-root DIR` writes tasks that load those."
        )
    else:
        lines += [
            f"Tasks load local files, one per configuration: `{local_file(root, 'CONFIG')}`, for example "
            f"`{local_file(root, ours[0].config or '')}`."
            + ("" if root.is_absolute() else " The path is seen from the folder where `lm_eval` is started."),
        ]
    lines += [
        "", "One JSON object a line: `prompt`, `choices`, `label` (from 0) and `_id`, the same in all languages.",
    ] if ours else []  # fmt: skip
    duty = plan.decontamination
    lines += ["", "## Not to be trained on", ""]
    lines.append(
        f"Training text must not share {duty.ngram} words in a row with {' or '.join(duty.against)}: "
        f"`{duty.command} NAME.manifest.json --dataset-root DIR` looks for them."
    )
    if plan.notes:
        lines += ["", "## Notes", "", *(f"- {note[:1].upper()}{note[1:]}." for note in plan.notes)]
    return "\n".join(lines) + "\n"


def _revision(one: PlannedTask) -> str:
    return "whatever is newest there" if one.revision is None else f"at revision `{one.revision}`"


@page("M690")
def no_evaluation(name: str) -> Diagnostic:
    """a manifest has no evaluation plan

    The tasks that judge a trained model follow from an `evaluate` block of the recipe: for its languages and the size
    of its model.

    What to do: write `evaluate { suite = mubench }` into the recipe, and compile it again.
    """
    return Diagnostic(
        "M690",
        f"the manifest of `{name}` says nothing of how the model is evaluated",
        helps=("write `evaluate { suite = mubench }` into the recipe, and compile it again",),
    )

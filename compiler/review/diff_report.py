"""A difference for people: one report, in plain text or in Markdown for a comment on a pull request.

It answers, in this order: what it costs in predicted loss, which inputs changed and what each does, by how much the
mixture moved, what binds now. Rows that did not move are folded with a count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mixc.compiler.review import words
from mixc.compiler.review.binding import PRICE, TARGET
from mixc.compiler.review.difference import Cause, Difference, Held, Line
from mixc.compiler.review.effect import AXES, Effect

Style: TypeAlias = Literal["text", "markdown"]
VISIBLE = 5e-5  # of the budget: half of the last digit printed
LARGEST = 4  # moves named beside a cause
SAME_LOSS = 5e-7
TITLES = {"language": "languages", "source": "sources", "domain": "domains", "phase": "phases"}


@dataclass(frozen=True, slots=True)
class _Paper:
    """How headings, tables and lists look."""

    style: Style

    def heading(self, text: str) -> str:
        return f"\n### {words.prose(text)}\n\n" if self.style == "markdown" else f"\n{text[0].upper()}{text[1:]}\n"

    def title(self, text: str) -> str:
        return f"## {words.prose(text)}\n\n" if self.style == "markdown" else f"{_plain(text)}\n"

    def table(self, header: Sequence[str], lines: Iterable[Sequence[str]], left: Iterable[int] = (0,)) -> str:
        if self.style == "markdown":
            prose = [[words.prose(cell) for cell in line] for line in lines]
            return words.markdown_table(header, prose, left=left)
        plain = [[_plain(cell) for cell in line] for line in lines]
        return "".join(f"  {line}\n" for line in words.table(header, plain, left=left).splitlines())

    def note(self, text: str) -> str:
        return f"\n{words.prose(text)}\n" if self.style == "markdown" else f"  {_plain(text)}\n"

    def bullet(self, text: str) -> str:
        return f"- {words.prose(text)}\n" if self.style == "markdown" else f"  {_plain(text)}\n"


def report(found: Difference, style: Style, *, full: bool = False) -> str:
    """The whole report; with `full`, rows that did not move too."""
    paper = _Paper(style)
    parts: list[Callable[[], str]] = [
        lambda: _headline(found, paper),
        lambda: _causes(found, paper),
        lambda: _moves(found, paper, full),
        lambda: _binding(found, paper, full),
        lambda: _other(found, paper),
    ]
    return "".join(part() for part in parts)


def _headline(found: Difference, paper: _Paper) -> str:
    title = paper.title(f"Mixture `{found.recipe}`: `{found.old}` to `{found.new}`")
    if found.identical:
        return title + paper.bullet("The manifests are the same.")
    return title + "".join(paper.bullet(text) for text in _sentences(found))


def _sentences(found: Difference) -> Iterable[str]:
    before, after = found.losses
    verb = "no change" if abs(after - before) < SAME_LOSS else "worse" if after > before else "better"
    change = f": {words.change(after - before)} ({verb})" if verb != "no change" else ": no change"
    yield f"Predicted loss {words.loss(before)} to {words.loss(after)}{change}"
    if found.old_weights is not None and abs(found.old_weights - after) >= SAME_LOSS:
        yield (
            f"The weights of the languages changed too: under the old priorities the new mixture has "
            f"{words.loss(found.old_weights)}, {words.change(found.old_weights - before)}"
        )
    moved = [line for line in found.lines if line.axis == "language" and not line.same]
    if found.factor != 1:
        rest = "; no share moved" if not moved else ""
        yield f"All tokens {words.factor(found.factor)}{rest}; below, shares are compared"
    total = sum(line.moved for line in moved if line.moved > 0)
    if moved:
        yield f"{100 * total:.2f}% of the budget moved between {words.count(len(moved), 'language')}"
    elif found.factor == 1:
        yield "No share of a language moved"
    if found.causes:
        yield _blame(found.causes)
    elif not found.identical:
        yield "No input that decides shares changed"


def _blame(causes: tuple[Cause, ...]) -> str:
    if len(causes) == 1:
        return f"One input changed: {_named(causes[0])}"
    known = [cause for cause in causes if not cause.effect.failed]
    largest = max((cause for cause in known if _moved(cause)), key=_moved, default=None)
    most = f"; by shares moved, the largest effect is that of {_named(largest)}" if largest else ""
    return f"{words.count(len(causes), 'input')} changed{most}"


def _moved(cause: Cause) -> float:
    """How much of the budget a cause alone moves, over all axes: what causes are ranked by."""
    return sum(abs(move.share) for move in cause.effect.moves)


def _named(cause: Cause) -> str:
    return f"{cause.title} ({cause.old} -> {cause.new})" if cause.old else cause.title


def _causes(found: Difference, paper: _Paper) -> str:
    if not found.causes:
        return ""
    header = ("input", "old", "new", "where", "loss", "shares moved, in points")
    lines = [
        (c.title, c.old, c.new, c.place, *_effect(c.effect)) for c in sorted(found.causes, key=lambda c: -_moved(c))
    ]
    if found.interaction is not None:
        lines.append(("together, beyond their sum", "", "", "", *_effect(found.interaction)))
    text = paper.heading("Which input caused it") + paper.table(header, lines, left=(0, 1, 2, 3, 5))
    if len(found.causes) > 1:
        text += paper.note("Each input alone was put into the old recipe, which was then solved again.")
    failed = [(c.title, c.effect.failed) for c in found.causes if c.effect.failed]
    text += "".join(paper.note(f"{title} alone gives no mixture: {why}") for title, why in failed)
    if failed:
        text += paper.note("So the effects do not add up to the whole, and no remainder is given.")
    return text


def _effect(effect: Effect) -> tuple[str, str]:
    if effect.failed:
        return "unknown", "no mixture with this alone"
    moved = [move for move in effect.moves if abs(move.share) >= VISIBLE]
    visible = [move for move in moved if move.axis == "language"] or moved
    named = [f"{move.name} {words.points(move.share)}" for move in visible]
    return words.change(effect.loss), words.listed(named, LARGEST).replace(" and ", ", and ") or "none"


def _moves(found: Difference, paper: _Paper, full: bool) -> str:
    text = ""
    for axis in AXES:
        lines = [line for line in found.lines if line.axis == axis]
        shown = lines if full else [line for line in lines if abs(line.moved) >= VISIBLE or not (line.old and line.new)]
        folded = len(lines) - len(shown)
        if not shown or (len(lines) == 1 and not full and lines[0].same):
            continue
        text += paper.heading(f"How the {TITLES[axis]} moved")
        text += paper.table(*_line_table(shown, axis == "language"))
        if folded:
            still = sum(line.same for line in lines)
            less = folded - still
            parts = [f"{words.count(still, axis)} did not move"] * bool(still)
            parts += [f"{words.count(less, axis)} moved by less than 0.005 points"] * bool(less > 0)
            text += paper.note(f"{', '.join(parts)} (`--full` shows all)")
    return text


def _line_table(lines: list[Line], with_loss: bool) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    header: tuple[str, ...] = ("name", "share", "was", "points", "tokens", "was", "epochs", "was")
    header = (*header, "loss", "was") if with_loss else header
    return header, [(line.name, *_columns(line, with_loss)) for line in lines]


def _columns(line: Line, with_loss: bool) -> tuple[str, ...]:
    pairs = [_texts(held) for held in (line.new, line.old)]
    (share, tokens, epochs, loss), (share_was, tokens_was, epochs_was, loss_was) = pairs
    base = (share, share_was, words.points(line.moved), tokens, tokens_was, epochs, epochs_was)
    return (*base, loss, loss_was) if with_loss else base


def _texts(held: Held | None) -> tuple[str, str, str, str]:
    if held is None:
        return "none", "none", "", ""
    return words.share(held.share), words.tokens(held.tokens), words.epochs(held.epochs), words.loss(held.loss)


def _binding(found: Difference, paper: _Paper, full: bool) -> str:
    return paper.heading("What binds now") + _rules(found, paper) + _holdings(found, paper, full)


def _rules(found: Difference, paper: _Paper) -> str:
    if not found.bounds:
        return paper.bullet("No rule binds, before or now.")
    lines = [
        (f"`{bound.rule}`", bound.state, _price(bound.old_price), _price(bound.new_price), bound.place)
        for bound in found.bounds
    ]
    header = ("rule", "state", "price was", "price", "where")
    text = paper.table(header, lines, left=(0, 1, 4))
    return text + paper.note("Price: rise of the loss for one more point of share (1% of the bound for other rules).")


def _holdings(found: Difference, paper: _Paper, full: bool) -> str:
    shown = [h for h in found.holdings if full or h.old != h.new]
    folded = len(found.holdings) - len(shown)
    text = "\n" * bool(shown)
    if shown:
        lines = [(h.language, h.new or "none", h.old or "none") for h in shown]
        text += paper.table(("language", "held by", "was"), lines, left=(0, 1, 2))
    if folded:
        held = sum(h.new not in (PRICE, TARGET, "") for h in found.holdings if h not in shown)
        limited = f", {held} of them by a rule or limit" if held else ""
        text += paper.note(f"{words.count(folded, 'language')} held by the same as before{limited}")
    return text


def _price(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _other(found: Difference, paper: _Paper) -> str:
    before, after = (f"{gap:.1e}" for gap in found.gaps)
    facts = [*found.other, *[f"proved gap to the optimum: {before} -> {after}"] * (before != after)]
    return paper.heading("Also") + "".join(paper.bullet(fact) for fact in facts) if facts else ""


def _plain(text: str) -> str:
    return text.replace("`", "")

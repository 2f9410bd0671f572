"""Plots as Vega-Lite, by their names. Colours are those of the light page; `draw.py` turns them into variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from mixc.backends.report.content import Plot
from mixc.backends.report.outlook import DECIDED, SAME_SHARES
from mixc.backends.report.palette import FIRST, INK, LINE, PAPER, RAMP, SECOND, SOFT, THIRD

WIDTH = 300  # pixels within the axes: with its labels a plot is as wide as a phone
ROW = 15  # pixels of a row with a label
CELL = 9  # pixels of a cell of a large matrix
MANY = 20  # names beyond which a matrix has small cells
EPOCHS = (1e-9, 0.5, 1.0001, 2.0001, 4.0001)  # where the colour of repetition changes
FONT = "Liberation Sans"  # drawn with the library's own copy, so that texts are measured alike everywhere


def chart(plot: Plot) -> dict[str, Any]:
    """The Vega-Lite of a plot."""
    drawn: Any = CHARTS[plot.name](plot)
    styled = drawn.configure(font=FONT, background=PAPER, padding=4, aria=False).configure_view(stroke=None)
    styled = styled.configure_axis(
        labelColor=INK, titleColor=SOFT, gridColor=LINE, domainColor=LINE, tickColor=LINE, titleFontWeight="normal",
        labelFontSize=11, titleFontSize=11, labelOverlap=False,
    )  # fmt: skip
    styled = styled.configure_legend(
        orient="top", title=None, labelColor=INK, titleColor=SOFT, labelFontSize=11, titleFontSize=11, offset=6,
        gradientStrokeColor=LINE,
        columns=3, titleFontWeight="normal", titleOrient="left",
    )  # fmt: skip
    spec: dict[str, Any] = styled.configure_header(labelColor=INK, labelFontSize=11, title=None).to_dict(validate=False)
    return spec


def _languages(plot: Plot) -> Any:
    base = alt.Chart(_data(plot), width=WIDTH, height=alt.Step(ROW)).encode(
        y=alt.Y("language:N", sort=list(plot.order), title=None),
        x=alt.X("share:Q", title="share of the tokens", axis=alt.Axis(format="~%", tickCount=5)),
        color=_series(plot.columns),
    )
    parts = [
        base.transform_filter("datum.what == 'mixture'").mark_bar(height=ROW - 6),
        base.transform_filter("datum.what == 'supply'").mark_tick(thickness=2, size=ROW - 3, opacity=1),
        base.transform_filter("datum.what == 'previous'").mark_point(filled=True, size=32, opacity=1),
    ]
    return alt.layer(*parts[: len(plot.columns)])


def _benefit(plot: Plot) -> Any:
    return (
        alt.Chart(_data(plot), width=WIDTH, height=alt.Step(ROW))
        .mark_bar(color=FIRST, height=ROW - 6)
        .encode(
            y=alt.Y("language:N", sort=list(plot.order), title=None),
            x=alt.X("benefit:Q", title="nats per token", axis=alt.Axis(format="~g", tickCount=4)),
        )
    )


def _quality(plot: Plot) -> Any:
    edges = alt.Chart(_data(plot), width=WIDTH, height=90).encode(
        x=alt.X(
            "low:Q",
            title="quality, best first",
            axis=alt.Axis(format="~%", tickCount=5),
            scale=alt.Scale(domain=[0, 1], nice=False),
        ),
        x2="high:Q",
        y=alt.Y("epochs:Q", title="epochs", axis=alt.Axis(tickCount=4)),
    )
    bars = edges.mark_rect(color=FIRST, stroke=PAPER, strokeWidth=1).encode(y2=alt.datum(0))
    row = alt.Row("domain:N", sort=list(plot.order), header=alt.Header(labelAnchor="start", labelOrient="top"))
    return bars.facet(row=row).resolve_scale(y="independent")


def _repetition(plot: Plot) -> Any:
    base = alt.Chart(_data(plot), width=alt.Step(max(34, WIDTH // max(1, len(plot.columns)))), height=alt.Step(ROW))
    base = base.encode(
        y=alt.Y("language:N", sort=list(plot.order), title=None),
        x=alt.X("quality:N", sort=list(plot.columns), title=None, axis=alt.Axis(orient="top", labelAngle=-40)),
    )
    colour = alt.Color(
        "epochs:Q", legend=None, scale=alt.Scale(type="threshold", domain=list(EPOCHS), range=list(RAMP))
    )
    figures = alt.Text("epochs:Q", format=".1f")
    light = EPOCHS[3]  # the lighter colours carry dark figures
    shown = base.transform_filter(f"datum.epochs > {EPOCHS[0]}")
    return alt.layer(
        base.mark_rect(stroke=PAPER, strokeWidth=1).encode(color=colour),
        shown.transform_filter(f"datum.epochs <= {light}").mark_text(fontSize=9, color=INK).encode(text=figures),
        shown.transform_filter(f"datum.epochs > {light}").mark_text(fontSize=9, color=PAPER).encode(text=figures),
    )


def _budget(plot: Plot) -> Any:
    decided = sorted({row["tokens"] for row in plot.rows if row["what"] == DECIDED})
    billions = "replace(format(datum.value, '.3~s'), 'G', 'B')"
    base = alt.Chart(_data(plot), width=WIDTH, height=180).encode(
        x=alt.X(
            "tokens:Q",
            title="tokens",
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=decided, labelExpr=billions),
        ),
        y=alt.Y("loss:Q", title="loss, nats per token", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        color=_series(plot.order),
    )
    return alt.layer(
        base.transform_filter(f"datum.what == '{SAME_SHARES}'").mark_line(strokeWidth=2),
        base.transform_filter(f"datum.what == '{DECIDED}'").mark_point(filled=True, size=60, opacity=1),
    )


def _transfer(plot: Plot) -> Any:
    many = max(len(plot.order), len(plot.columns)) > MANY
    step, size = (CELL, 8) if many else (ROW, 11)
    high = max((row["transfer"] for row in plot.rows), default=1.0)
    bounds = [high * part for part in (0.2, 0.4, 0.6, 0.8)]
    return (
        alt.Chart(_data(plot), width=alt.Step(step), height=alt.Step(step))
        .mark_rect(stroke=PAPER, strokeWidth=1)
        .encode(
            x=alt.X(
                "from:N",
                title="learns from",
                scale=_names(plot.columns),
                axis=alt.Axis(labelAngle=-90, labelFontSize=size),
            ),
            y=alt.Y("learns:N", title="language", scale=_names(plot.order), axis=alt.Axis(labelFontSize=size)),
            color=alt.Color(
                "transfer:Q",
                title="T",
                scale=alt.Scale(type="threshold", domain=bounds, range=list(RAMP[1:])),
                legend=alt.Legend(format=".2~g", symbolType="square", columns=5),
            ),
        )
    )


def _names(order: Sequence[str]) -> Any:
    return alt.Scale(domain=list(order))


def _series(names: Sequence[str]) -> Any:
    """Colours of series, and their legend."""
    return alt.Color("what:N", scale=alt.Scale(domain=list(names), range=[FIRST, SECOND, THIRD][: len(names)]))


def _data(plot: Plot) -> Any:
    return alt.InlineData(values=[dict(row) for row in plot.rows])


CHARTS: Mapping[str, Callable[[Plot], Any]] = {
    "languages": _languages,
    "quality": _quality,
    "repetition": _repetition,
    "benefit": _benefit,
    "budget": _budget,
    "transfer": _transfer,
}

"""The one table of kinds and keys: what may be declared, what each key holds, and one line on what it means.

It drives checking, "did you mean", the reference page and the editor. A later part adds a kind by adding a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from mixc.compiler.front.shapes import (
    Amount,
    Either,
    Flag,
    Interval,
    Invoke,
    Key,
    ListOf,
    MapOf,
    Measure,
    NameOf,
    String,
    Struct,
    Word,
)
from mixc.compiler.front.units import (
    FLOPS,
    MOST,
    NUMBER,
    PARAMS,
    RATIO,
    TOKENS,
    TOKENS_PER_BYTE,
    TOKENS_PER_WORD,
    Dimension,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of declaration. `naming` says what stands between the kind and its block.

    none: nothing; word: a name; text: a name or a string; code: a language; codes: a list of languages or `all`;
    fixed: one of `names`; optional: a name or nothing. `value` kinds are `kind name = value`.
    """

    name: str
    doc: str
    keys: tuple[Key, ...] = ()
    naming: Literal["none", "word", "text", "code", "codes", "fixed", "optional"] = "word"
    names: tuple[str, ...] = ()
    value: bool = False

    def key(self, name: str) -> Key | None:
        """The key of that name."""
        return next((key for key in self.keys if key.name == name), None)


def _positive(dimension: Dimension = NUMBER, *, whole: bool = False, bare: bool = False) -> Measure:
    high = MOST if whole or dimension in (PARAMS, TOKENS) else None
    return Measure(dimension, Fraction(0), high, above=True, whole=whole, bare=bare)


NONNEGATIVE: Final = Measure(low=Fraction(0))
PRIORITY: Final = Measure(low=Fraction(0), high=Fraction(10**6))  # past it a language of priority 1 has no say at all
EXCHANGE: Final = Measure(low=Fraction(0), high=Fraction(10))
TEMPERATURE: Final = Measure(low=Fraction(1, 5), high=Fraction(1000))  # colder, and shares fall below a token
MODEL: Final = Measure(PARAMS, Fraction(1), MOST)
POSITIVE: Final = _positive()
FRACTION: Final = Measure(low=Fraction(0), high=Fraction(1))
PROJECTIONS: Final = ("up", "gate", "down", "q", "k", "v", "o")
POSITIVE_FRACTION: Final = Measure(low=Fraction(0), high=Fraction(1), above=True)
SEED: Final = Measure(low=Fraction(0), high=Fraction(2**63 - 1), whole=True)
COUNT: Final = _positive(whole=True)
PHASE_BUDGET: Final = Measure(TOKENS, Fraction(0), MOST, above=True, exact=True)
ANY_NUMBER: Final = Measure()
TEXT: Final = String()
ORDERS: Final = ("free", "epochs", "shares")
STRATEGIES: Final = ("direct", "two_step", "unimax", "temperature", "natural", "uniform")
COLUMNS: Final = ("id", "text", "language", "domain", "tokens")

_COLUMN: Final = Either((TEXT, Invoke("tokenizer", TEXT, place=True)))
_CALIBRATION = "a shipped calibration, or a file that `mixc fit` wrote"

BUDGET: Final = Kind(
    "budget",
    "the size of the training run: two of model, tokens and compute",
    (
        Key("model", MODEL, "is the number of parameters", limit="also"),
        Key("tokens", _positive(TOKENS), "is the number of training tokens", limit="also"),
        Key("compute", _positive(FLOPS), "is the cost of training, 6 * model * tokens", limit="also"),
        Key("ratio", _positive(RATIO), "bounds how many tokens each parameter sees", limit="only"),
        Key("flops_per_param_token", POSITIVE, "is the cost of one token and one parameter in FLOPs", default="6"),
        Key("tokenizer", TEXT, "names the tokenizer that tokens are counted with"),
        Key("seed", SEED, "decides which documents are drawn", default="0"),
    ),
    naming="none",
)
SOURCE: Final = Kind(
    "source",
    "where tokens come from: documents (`path`) or published sizes (`supply`)",
    (
        Key("path", Either((TEXT, ListOf(TEXT))), "is a file, a pattern or a list of them", place=True),
        Key(
            "supply",
            Either((TEXT, MapOf(NameOf("code"), Amount()))),
            "is a table of published sizes, or a map from language to tokens, bytes or words",
            place=True,
        ),
        Key(
            "columns",
            Struct(tuple(Key(name, _COLUMN if name == "tokens" else TEXT, f"holds the {name}") for name in COLUMNS)),
            "says which column of the data holds what",
        ),
        Key("language", NameOf("language"), "is the language of every document of the source"),
        Key("domain", NameOf("domain"), "is the domain of every document of the source", default="und"),
        Key("aliases", MapOf(NameOf("word"), NameOf("code")), "maps language tags of the data to language codes"),
        Key("epochs", POSITIVE, "is how often any of its tokens may be read", limit="only"),
        Key("density", POSITIVE, "is the information of an unrated token, 1 = as good as the best bucket"),
        Key("assume", Word(("rated",)), "treats published sizes as if their quality were known"),
        Key("origin", NameOf("word"), "names what the source was made from, such as `common-crawl`"),
        Key("overlap", MapOf(NameOf("source"), FRACTION), "is the part of this source that another one holds too"),
        Key("tokens_per_byte", _positive(TOKENS_PER_BYTE, bare=True), "turns published bytes into tokens"),
        Key("tokens_per_word", _positive(TOKENS_PER_WORD, bare=True), "turns published words into tokens"),
        Key("eos", Flag(), "counts one end-of-text token per document", default="true"),
        Key("ids", Word(("unique", "per-file", "shared")), "says where document ids are unique", default="unique"),
        Key("license", TEXT, "is the licence of the data, as SPDX writes it"),
        Key("format", Word(("parquet", "jsonl", "arrow")), "is the file format where the file names do not say"),
        Key("bad_lines", Word(("error", "skip")), "says what a line that is no JSON object means", default="error"),
    ),
)
_LANGUAGE_KEYS: Final = (
    Key("priority", PRIORITY, "is the weight of the language's loss in the objective", default="1"),
    Key("transfer", MapOf(NameOf("language"), EXCHANGE), "is how much of another language's information counts"),
    Key("cost", MapOf(NameOf("language"), EXCHANGE), "is how much another language's information takes away"),
    Key(
        "loss",
        Struct(
            (
                Key("floor", NONNEGATIVE, "is the loss that no data removes"),
                Key("scale", POSITIVE, "is the loss above the floor at one unit of information"),
                Key("exponent", POSITIVE, "is how fast information lowers the loss"),
            )
        ),
        "is the law of the language: floor + scale * information^-exponent",
    ),
)
LANGUAGE: Final = Kind("language", "a language of the mixture", _LANGUAGE_KEYS, naming="code")
LANGUAGES: Final = Kind("languages", "several languages with the same attributes", _LANGUAGE_KEYS, naming="codes")
GROUP: Final = Kind("group", "a union of names of one kind", value=True)
PARAM: Final = Kind("param", "a value that the command line may set", value=True)
DOMAIN: Final = Kind(
    "domain",
    "a domain: how its quality is judged and sampled",
    (
        Key("weights", MapOf(NameOf("rater"), NONNEGATIVE), "weighs the raters and targets whose scores are merged"),
        Key(
            "sampling",
            Struct(
                (
                    Key("lambda", POSITIVE, "is how sharply sampling falls around omega"),
                    Key("omega", POSITIVE_FRACTION, "is the rank at which sampling falls"),
                    Key("eta", POSITIVE, "is how strongly the best documents are repeated"),
                    Key("epsilon", NONNEGATIVE, "is the sampling rate of the worst documents"),
                    Key("temperature", POSITIVE, "samples in proportion to exp(score / temperature) instead"),
                )
            ),
            "ties how often documents are read to their rank",
        ),
        Key("density", POSITIVE, "is the information of an unrated token, 1 = as good as the best bucket"),
    ),
    naming="text",
)
RATER: Final = Kind(
    "rater",
    "a quality score of documents",
    (
        Key("column", TEXT, "is the column that holds the score"),
        Key("better", Word(("higher", "lower")), "says which scores are good", default="higher"),
        Key("range", Interval(ANY_NUMBER), "is the lowest and highest score"),
        Key("missing", Word(("exclude", "worst", "renormalise")), "is what an absent score means", default="exclude"),
        Key("scope", Word(("language", "global")), "is what a score is ranked within", default="language"),
        Key("kind", Word(("murating",)), "names the model-based rater that makes the score"),
        Key("model", TEXT, "is the model of a model-based rater"),
        Key("text", TEXT, "is the column that a model-based rater reads"),
    ),
)
TARGET: Final = Kind(
    "target",
    "texts that documents are ranked by",
    (
        Key("path", TEXT, "is the file of example texts", required=True, example='"targets/gsm8k.jsonl"', place=True),
        Key("model", TEXT, "is the model whose neurons are compared", default='"HuggingFaceTB/SmolLM2-135M"'),
        Key("layers", ListOf(Measure(low=Fraction(0), whole=True)), "are the layers that are compared", default="all"),
        Key("top_k", COUNT, "is how many neurons are kept per layer", default="20"),
        Key("tokens", _positive(TOKENS, whole=True, bare=True), "is how much of each document is read", default="120"),
        Key("projection", Word(PROJECTIONS), "is what of each layer is looked at", default="up"),
        Key("fraction", POSITIVE_FRACTION, "keeps the best part of all tokens and drops the rest"),
        Key("scope", Word(("language", "pool")), "is what the fraction is taken of", default="language"),
        Key("weight", NONNEGATIVE, "weighs it among the targets of one group", default="1"),
        Key("overlap", Word(("refill", "drop")), "is what becomes of budget that two spend on one", default="refill"),
        Key(
            "quality", NameOf("word"), "is a rater that the fraction is ranked by too, both scaled to 0 .. 1 and added"
        ),
    ),
)
QUALITY: Final = Kind(
    "quality",
    "how quality is cut into buckets and used",
    (
        Key("buckets", Either((ListOf(POSITIVE_FRACTION), COUNT)), "are the upper ranks of the buckets, best first"),
        Key("normalize", Word(("rank", "zscore", "minmax")), "makes scores comparable", default="rank"),
        Key("order", Word(ORDERS), "is how strictly better buckets come first", default="free"),
        Key(
            "scale",
            Word(("copies", "omega")),
            "is what the budget changes of sampling curves: how often all is read, or down to which rank",
            default="copies",
        ),
    ),
    naming="none",
)
LAW: Final = Kind("law", "which calibrations to use", naming="fixed", names=("infolaw", "transfer"))
LAW_KINDS: Final[Mapping[str, Kind]] = {
    "infolaw": Kind(
        "law infolaw",
        "how repetition and quality become information",
        (Key("calibration", TEXT, f"is {_CALIBRATION}", place=True),),
    ),
    "transfer": Kind(
        "law transfer",
        "how information of one language helps another",
        (
            Key("form", Word(("isolated", "linear", "logc")), "is the shape of the law", default="logc"),
            Key(
                "calibration",
                Either((TEXT, Invoke("family", FRACTION))),
                f"is {_CALIBRATION}, or `family(0.1)`",
                place=True,
            ),
            Key("signal", Word(("info", "tokens")), "is what is transferred", default="info"),
        ),
    ),
}
MIXTURE: Final = Kind(
    "mixture",
    "how the mixture is decided",
    (
        Key("strategy", Word(STRATEGIES), "is the way shares are decided", default="direct"),
        Key("temperature", TEMPERATURE, "flattens natural shares p to p^(1/temperature)"),
        Key("epochs", POSITIVE, "is UniMax's cap on the repetition of a language"),
    ),
    naming="none",
)
PHASE: Final = Kind(
    "phase",
    "a stage of training with its own budget, rules and sources",
    (
        Key("after", NameOf("phase"), "is the phase that comes before"),
        Key(
            "budget", PHASE_BUDGET, "is the number of tokens of the phase", required=True, example="10% * budget.tokens"
        ),
    ),
)
EVALUATE: Final = Kind(
    "evaluate",
    "how the trained model is evaluated",
    (
        Key("suite", Word(("mubench",)), "is the suite of tasks", default="mubench"),
        Key("panel", Word(("early", "full", "guard")), "is the part of the suite that is run"),
        Key("harness", TEXT, "is the evaluation harness that runs it"),
        Key("holdout", FRACTION, "is the share of documents kept out of training by hash"),
    ),
    naming="optional",
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        *(BUDGET, SOURCE, LANGUAGE, LANGUAGES, GROUP, DOMAIN, RATER, TARGET),
        *(QUALITY, LAW, MIXTURE, PHASE, EVALUATE, PARAM),
    )
}
NAMED_IN_RULES: Final = ("source", "language", "domain", "group", "phase")
RESERVED: Final = ("all", "none", "each", "best", "budget", "source", "language", "domain", "group", "phase")


def schema(kind: str, name: str) -> Kind:
    """The kind whose keys a declaration has: `law transfer` differs from `law infolaw`."""
    return LAW_KINDS[name] if kind == "law" and name in LAW_KINDS else KINDS[kind]

"""Hand-written messages for mistakes of declarations, rules and imports, and the list of all messages."""

from mixc.dsl.sentence import Sentence
from mixc.dsl.sentences_values import VALUES

DECLARATIONS = (
    Sentence(
        "`@before` stands alone",
        "nothing follows",
        "write `@before = value`, or `@before name { … }`",
        "model~",
        behind=True,
    ),
    Sentence(
        "`=` is missing after `@before`",
        "a value without `=`",
        "write `@line = @found`",
        'model 7B params; model true; model false; model -1; param size 7B params; param root "data"; '
        "group slavic [pl, cs]; param x true; param x false; param x -1; param x (1)",
    ),
    Sentence(
        "`@line` is followed by `:`",
        "`:` stands in maps",
        "write `@line = …`",
        "model: 3; param size: 3",
    ),
    Sentence(
        "nothing stands after `@line`",
        "a value is missing",
        "write a number, a name, a string, a list or a map",
        "model =~; param size =~",
        behind=True,
    ),
    Sentence(
        "`@word` has two names",
        "a second name",
        "join the words with `-`, or write the name as a string",
        'source my web { }; source "my" web { }; source my web = 3',
    ),
    Sentence(
        "`@line` has no block",
        "a block is missing",
        "write `@line { … }`",
        "languages [a, b]~; override source~",
        behind=True,
    ),
    Sentence(
        "a string is no name for a value",
        "`=` after a string",
        "write the name without quotes, and the value after `=`",
        'param "x" = 3',
    ),
    Sentence(
        "`@line` has a value and a block",
        "a block after the value",
        "write either `=` and a value, or a block",
        'source web = math { x = 1 }; source web = [a] { x = 1 }; x = 3 { y = 1 }; x = "a" { y = 1 }',
    ),
    Sentence(
        "`override` is not followed by a declaration",
        "a kind is missing",
        "write `override kind name { … }`, or `override param name = value`",
        'override~; override = 3; override { }; override "x"; override [x]',
    ),
    Sentence(
        "`override` stands before a single key",
        "not a declaration",
        "override the block around it: `override budget { … }`",
        "override seed = 3; override epochs <= 4; override epochs within 3 .. 4",
    ),
    Sentence(
        "a dotted name begins a statement",
        "a dot",
        "set it inside its block: `@before { … }`",
        "budget.tokens = 3B tokens",
    ),
    Sentence(
        "a key stands in quotes",
        "in quotes",
        "write the word alone",
        '"path" = 3',
    ),
    Sentence(
        "`@word` is followed by neither `=` nor a block",
        "not expected here",
        "write `@word = value`, or `@word name { … }`",
        "source web + 3; model + 3; model * 3; model / 3; model .. 3; source web * 3; source web.x { }; "
        "source web / 3; source web .. 3",
    ),
    Sentence(
        "a number stands where the name of `@word` belongs",
        "a number",
        "begin a name with a letter, or write it as a string",
        "override phase 3 { }",
    ),
    Sentence(
        "a declaration is bounded",
        "not expected here",
        "write the limit inside the block: `source web { epochs <= 4 }`",
        'source web <= 4; source web within 3 .. 4; source "web" <= 4',
    ),
    Sentence(
        "`override` stands before a rule",
        "a rule",
        "leave out `override`: rules are added",
        "override require x >= 1; override require f(x) >= 1; override prefer x >= 1",
    ),
)

RULES = (
    Sentence(
        "a rule begins with a verb, not with `@word(`",
        "`require` is missing before this",
        "write `require @word(…) >= …`, or `prefer`",
        "share(en) >= 3%",
    ),
    Sentence(
        "`@before` is followed by nothing",
        "what it speaks of is missing",
        "write `require share(en) >= 30%`, or `minimize loss`",
        "require~; prefer~; minimize~; maximize~",
        behind=True,
    ),
    Sentence(
        "this rule has no bound",
        "a bound is missing",
        "write `@line >= …`, or `<=`, `==`, `within a .. b`",
        "require share(en)~; prefer share(en)~; require 3%~; require loss~; require 3 tokens~; require a + 3~; "
        'require a * b~; require -a~; require a + b~; require "a"~; require (a)~',
        behind=True,
    ),
    Sentence(
        "a rule compares with `==`, not with `@found`",
        "sets a key",
        "write `==`, `<=`, `>=` or `within a .. b`",
        "require share(en) = 3%; require loss = 3; require 3% = a; require share(en): 3%",
    ),
    Sentence(
        "nothing stands after `@before`",
        "a value is missing",
        "write the bound behind `@before`",
        "require a >= , x = 1; b { epochs <= }; require a <=; epochs >=",
        behind=True,
    ),
    Sentence(
        "`within` has no range",
        "a range is missing",
        "write `within a .. b`",
        "require a within~; epochs within~",
        behind=True,
    ),
    Sentence(
        "`within` has one end only",
        "`..` is missing",
        "write `within @before .. b`",
        "require a within 3%~; require a within b~; require a within 3 tokens~; require a within [1, 2]~; "
        "require a within b(c)~",
        behind=True,
    ),
    Sentence(
        "nothing stands after `..`",
        "the upper end is missing",
        "write both ends: `a .. b`",
        "range = 0 ..; require a within 3 ..; b { range = 0 .. }; range = 0 .., x = 1",
        behind=True,
    ),
    Sentence(
        "a rule has one bound, this is a second",
        "a second bound",
        "write `within a .. b`, or two rules",
        "require 3% <= share(en) <= 5%; require a >= 3% <= 5%; require a >= b <= c; "
        "require a >= b(c) within 1 .. 2; require a >= 3 within 1 .. 2; require a >= b within 1 .. 2; "
        "require a within 1 .. 2 <= 3; require a >= 3 tokens <= 4 tokens; require 3 tokens <= a <= 3 tokens",
    ),
    Sentence(
        "`weight` has no value",
        "a number is missing",
        "write `weight 0.05`",
        "prefer a >= 3% weight~; prefer a >= 3% weight = 3; prefer a >= 3% weight: 3",
    ),
    Sentence(
        "only `prefer` has a weight",
        "not expected here",
        "write `prefer` for a rule that may be missed at a price",
        "require share(en) >= 3% weight 0.05; require a >= b weight 1; require a >= b(c) weight 1; "
        "require a >= 3 tokens weight 1; require a within 3 .. 4 weight 1",
    ),
    Sentence(
        "an attribute holds a value, not a bound",
        "a comparison",
        "write `@word @found …` without `=`, or begin the line with `require`",
        "model = >= 3; x = a >= 3; x = 3 <= 4; x = b(c) >= 3; x = 3 within 3 .. 4",
    ),
)

IMPORTS = (
    Sentence(
        "an import has no name",
        "a name is missing before the file",
        "write `import name = @found`",
        'import "x.mix"',
    ),
    Sentence(
        "`=` is missing after `@line`",
        "`=` is missing before the file",
        "write `@line = @found`",
        'import x "y.mix"',
    ),
    Sentence(
        "the file of an import stands in double quotes",
        "not in quotes",
        'write `@line "@found.mix"`',
        "import x = y; import x = [y]; import x = 3",
    ),
    Sentence(
        "this import is not complete",
        "not complete",
        'write `import name = "file.mix"`',
        "import~; import x~; import x =~; import x y; import x.y; import = 3; import x { }; import x: 3",
        behind=True,
    ),
    Sentence(
        "`@found` stands behind the end of the import",
        "not expected here",
        "begin another statement on its own line, or behind a comma",
        'import x = "y.mix" z; import x = "y.mix" "z"; import x = "y.mix" 3; import x = "y.mix" { }',
    ),
)

SENTENCES = DECLARATIONS + RULES + VALUES + IMPORTS

"""Hand-written messages for mistakes inside values: expressions, lists, maps, brackets."""

from mixc.dsl.sentence import Sentence

VALUES = (
    Sentence(
        "nothing stands after `@before`",
        "a value is missing",
        "write what `@before` applies to",
        "x = 3 +, y = 1; x = 3 *, y = 1; b { x = 3 + }; b { x = 3 / }; x = -~; x = (3 + ); x = (3 * ); x = f(-); "
        "x = [3 + ]; x = 3 +; x = 3 /; x = f(3 + ); x = [3 * ]; x = { a: 3 + }; x = { a: 3 * }; x = (-)",
        behind=True,
    ),
    Sentence(
        "two signs stand side by side",
        "a second sign",
        "leave one out",
        "x = 3 + * 4; x = 3 * / 4; x = + 4; x = - * 4; require a >= <= 3; require a >= + 3; x = 3 .. .. 4; "
        "x = .. 5; x = * 4; x = / 4; x = : 4; x = .a; x = = 4; x = f(* 3)",
    ),
    Sentence(
        "a comma is missing before `@found`",
        "begins another item",
        "write a comma between the two",
        'x = [a b]; x = [a "b"]; x = ["a" "b"]; x = ["a" b]; x = [3 4]; x = [a 3]; x = [3 tokens b]; '
        'x = [[a] [b]]; x = [[a] b]; x = f(a b); x = f(a "b"); x = f("a" "b"); x = f("a" b); x = f(a 3); '
        'x = f(3 4); x = f(g(a) b); x = f(g(a) g(b)); x = { a: b c: d }; x = { a: "b" c: d }; '
        'x = { a: b "c": d }; x = { a: "b" "c": d }; x = { a: 3 "c": 4 }; x = { a: [b] c: d }; '
        "x = { a: {} c: d }; x = { a: 3 tokens b: 3 }; x = [f(a) b]; x = { a: f(b) c: d }; "
        'x = { a: f(b) "c": d }; x = { a: 3 4: b }; x = { a: [b] "c": d }',
    ),
    Sentence(
        "`=` stands in a map",
        "a pair has `:`",
        "write `@before: value`",
        'x = { a = 1 }; x = { "a" = 1 }',
    ),
    Sentence(
        "a bound stands in a map",
        "a pair has `:`",
        "write `@before: value`, or leave out `=` before `{` for a block",
        "x = { a <= 1 }; x = { a within 1 .. 2 }",
    ),
    Sentence(
        "`:` is missing after `@before`",
        "a value without `:`",
        "write `@before: @found`",
        'x = { a 1 }; x = { a "b" }; x = { a b }; x = { "a" 1 }; x = { "a" "b" }; x = { "a" b }; x = { a [b] }; '
        'x = { "a" [b] }; x = { a {} }; x = { a true }; x = { a -1 }',
    ),
    Sentence(
        "`@before` has no value",
        "`:` and a value are missing",
        "write `@before: value`, or a list: `[a, b]`",
        'x = { a }; x = { a, b }; x = { "a" }; x = { "a", b }',
        behind=True,
    ),
    Sentence(
        "nothing stands after `:`",
        "a value is missing",
        "write a number, a name, a string, a list or a map",
        "x = { a: }; x = { a:, b: 1 }",
        behind=True,
    ),
    Sentence(
        "a key of a map is a word or a string",
        "not a key",
        "write `key: value`; put other keys in double quotes",
        "x = { 1: 2 }; x = { [a]: 2 }; x = { a: 1, 2: 3 }; x = { : 1 }; x = { = 1 }; x = { a: 1, : 2 }; "
        "x = { -1: 2 }; x = { (a): 1 }; x = { {}: 1 }; x = { a: 1, [a]: 2 }; x = { a.b: 1 }; x = { + a: 1 }; "
        "x = { .a: 1 }",
    ),
    Sentence(
        "`:` stands in a list",
        "a list holds values only",
        "write a map: `{ key: value }`",
        'x = [a: 1]; x = ["a": 1]; x = [3: 4]',
    ),
    Sentence(
        "`=` stands in a list",
        "a list holds values only",
        "write a map: `{ key: value }`",
        'x = [a = 1]; x = ["a" = 1]; x = [3 = 4]',
    ),
    Sentence(
        "arguments have no names",
        "not expected here",
        "write the argument alone",
        'x = f(a = 1); x = f(a: 1); x = f("a" = 1); x = f("a": 1)',
    ),
    Sentence(
        "a comparison stands in brackets",
        "a comparison",
        "write the rule without brackets: `require share(en) >= 30%`",
        "require (a >= 3); require f(a >= 3); require (f(a) >= 3); require f(3 >= a); require (3 >= a); "
        "require f(g(a) >= 3); require (f(a) within 3 .. 4); require f(a within 3 .. 4); require [a >= 3] <= 3",
    ),
    Sentence(
        "a range stands where a single value belongs",
        "a range",
        "a range is the whole value of a key, or follows `within`",
        "x = [0 .. 5]; x = f(0 .. 5); x = (0 .. 5); require a >= 3 .. 5; x = [a .. b]; x = f(a .. b); "
        "x = (a .. b); require a .. b; require 3 .. 5; require a >= b .. c; minimize a .. b; x = 3 .. 4 .. 5; "
        "x = a .. b .. c",
    ),
    Sentence(
        "the brackets are empty",
        "a value is missing",
        "write a value between `(` and `)`",
        "x = (); require () >= 3",
    ),
    Sentence(
        "several values stand in brackets",
        "a second value",
        "a list is written `[a, b]`",
        'x = (a, b); x = (3, 4); x = ("a", b); x = (f(a), b)',
    ),
    Sentence(
        "a dot is not followed by a name",
        "a name is missing",
        "write `name.name`",
        'x = a.; x = a.3; x = a."b"; x = [a.]; x = f(a.); x = a.[b]; x = a., b = 1; b { x = a. }; x = a.(b)',
        behind=True,
    ),
    Sentence(
        "a value is called as a function",
        "not expected here",
        "write an operator or a comma before `(`",
        'x = 3(4); x = "a"(4); x = 3 tokens(4); x = f(a)(b); x = [a](b)',
    ),
    Sentence(
        "`:` stands after a value",
        "not expected here",
        "write `key = value`; pairs with `:` stand in a map `{ … }`",
        'x = a: b; x = "a": b; x = 3: 4; x = [a]: b; x = f(a): b',
    ),
    Sentence(
        "`@word` has two values",
        "a second `=`",
        "write one statement on a line, or a comma between two",
        'x = a = b; x = "a" = b; x = 3% = b; x = [a] = b; x = f(a) = b; x = { } = b',
    ),
    Sentence(
        "`@found` stands behind the end of the statement",
        "not expected here",
        "begin another statement on its own line, or behind a comma",
        'x = a b = 3; x = "a" b = 3; x = 3 tokens b = 3; x = 3% 4%; x = a "b"; x = "a" "b"; x = a 3; x = f(a) b; '
        "x = [a] b = 3; x = {} b = 3; source a { } source b { }; require a >= 3% 4%; require a >= b c; "
        "minimize loss x; require a >= f(b) c; require a >= 3 tokens b; prefer a >= 3 weight 1 tokens x; "
        'x = 1 .. 2 tokens y; source a { } 3; source a { } "b"; source a { } [b]; x = true b; x = true 3; '
        "x = [a] [b]; x = f(a) f(b); x = 3% b4 = 3; x = 3% [b]; x = a [b]; source a { } { }; source a { } = 3; "
        'x = [a] 3; x = f(a) 3; x = 3 tokens 4; x = 3 tokens "b"; x = 3% "b"; x = f(a) "b"; x = [a] "b"',
    ),
)

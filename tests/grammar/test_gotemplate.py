# ruff: noqa: E501  (a line of a table is what is typed and what is shown)
"""Templates are read and shown as Go's text/template does, refusals included.

What is expected here was said by docker 26.1.5; tests/compat asks it again.
"""

from typing import Any

import pytest

from pyminidock.grammar.gotemplate import Map, TemplateRefused, parse, run

VALUE: dict[str, Any] = {
    "Name": "/web",
    "Args": ["3000", "x"],
    "Nested": {"Pid": 22382, "Status": "running", "Nil": None},
    "Labels": Map({"b": "2", "a": "1"}),
    "Empty": [],
}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("plain", "plain"),
        ("{{.Name}} {{$.Name}}", "/web /web"),
        ("a {{- .Name -}} b", "a/webb"),
        ("x{{/* nothing */}}y {{- /* nor */ -}} z", "xyz"),
        ("{{range .Args}}{{.}} {{end}}", "3000 x "),
        ("{{range $i, $e := .Args}}{{$i}}={{$e}};{{end}}", "0=3000;1=x;"),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a=1;b=2;"),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{range .Args}}{{if eq . \"x\"}}{{break}}{{end}}{{.}}{{end}}", "3000"),
        ("{{range .Args}}{{if eq . \"3000\"}}{{continue}}{{end}}{{.}}{{end}}", "x"),
        ("{{if .Empty}}a{{else if .Name}}b{{else}}c{{end}}", "b"),
        ("{{with .Empty}}a{{else with .Name}}b{{.}}{{end}}", "b/web"),
        ("{{$y := 3}}{{$y}}{{$y = 4}}{{$y}}", "34"),
        ("{{define \"x\"}}D{{.}}{{end}}{{template \"x\" .Name}}", "D/web"),
        ("{{block \"x\" .Name}}D{{.}}{{end}}", "D/web"),
        ("{{(index .Args 0)}} {{index .Labels \"nope\"}}|{{(index .Args 1) | upper}}", "3000 |X"),
        ("{{len .Args}} {{len .Name}} {{.Nested.Pid | printf \"%d\" | len}}", "2 4 5"),
        ("{{printf \"%q %d %5.2f|%-6s|%6s|%v|%T\" .Name 5 1.5 \"ab\" \"cd\" .Args .Name}}",
         '"/web" 5  1.50|ab    |    cd|[3000 x]|string'),
        ("{{printf \"%d\" \"a\"}} {{printf \"%s\"}} {{printf \"x\" 1}}",
         "%!d(string=a) %!s(MISSING) x%!(EXTRA int=1)"),
        ("{{title \"a b-c\"}} {{split \"a,b\" \",\"}} {{join .Args \"-\"}}", "A B-C [a b] 3000-x"),
        ("{{pad \"x\" 1 2}}|{{truncate \"abcdef\" 3}}|{{lower \"AB\"}}", " x  |abc|ab"),
        ("{{print \"a\" 1 2 \"b\" \"c\" true false}}", "a1 2bctrue false"),
        ("{{println \"a\" 1}}", "a 1\n"),
        ("{{html \"<a>\"}} {{js \"a'\"}} {{urlquery \"a b\"}}", "&lt;a&gt; a\\' a+b"),
        ("{{slice .Name 1 3}}", "we"),
        ("{{and .Name .Empty}} {{or .Empty .Name}} {{not .Name}}", "[] /web false"),
        ("{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge \"b\" \"a\"}}",
         "true true true true false true"),
        ("{{json .Labels}} {{json .Args}} {{json nil}}", '{"a":"1","b":"2"} ["3000","x"] null'),
        ("{{.Labels.nope}} {{.Nested.Nil}}", "<no value> <no value>"),
        ("{{`raw \\n`}} {{'a'}} {{0x10}} {{1.5e3}} {{true}}", "raw \\n 97 16 1500 true"),
        ("{{if and (eq .Nested.Status \"running\") (gt .Nested.Pid 5)}}up{{end}}", "up"),
    ],
)  # fmt: skip
def test_a_template_is_shown(template: str, shown: str) -> None:
    assert run(parse(template), VALUE) == shown


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Name", ":1: unclosed action"),
        ("{{end}}", ":1: unexpected {{end}}"),
        ("{{if .Name}}", ":1: unexpected EOF"),
        ('{{"abc}}', ":1: unterminated quoted string"),
        ("{{`abc}}", ":1: unterminated raw quoted string"),
        ("{{$x}}", ':1: undefined variable "$x"'),
        ("{{}}", ":1: missing value for command"),
        ("{{range}}{{end}}", ":1: missing value for range"),
        ("{{nope .}}", ':1: function "nope" not defined'),
        ("{{break}}", ":1: {{break}} outside {{range}}"),
        ("{{(.Name}}", ":1: unclosed left paren"),
        ("{{.Name)}}", ":1: unexpected right paren"),
        ("{{.Name | 1}}", ":1: non executable command in pipeline stage 2"),
        ("\n{{nope}}", ':2: function "nope" not defined'),
        ("{{/* x", ":1: unclosed comment"),
        ("{{if 1}}{{else}}{{else}}{{end}}", ":1: expected end; found {{else}}"),
        ("{{template .}}", ":1: unexpected <.> in template clause"),
        ('{{"a".Foo}}', ':1: unexpected . after term "\\"a\\""'),
        ("{{.Na-me}}", ":1: bad character U+002D '-'"),
        ("{{1x}}", ':1: bad number syntax: "1x"'),
        ("{{.Name !}}", ':1: unexpected "!" in operand'),
        ("{{.Name:}}", ":1: expected :="),
        ("{{range $a,$b,$c := .}}{{end}}", ":1: too many declarations in range"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused(template: str, message: str) -> None:
    with pytest.raises(TemplateRefused) as refusal:
        parse(template)
    assert refusal.value.what == f"template: {message}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Nope}}", ':1:2: executing "" at <.Nope>: map has no entry for key "Nope"'),
        ("é\n{{.Nested.Pid.Foo}}",
         ':2:9: executing "" at <.Nested.Pid.Foo>: can\'t evaluate field Foo in type interface {}'),
        ("{{index .Args 5}}",
         ':1:2: executing "" at <index .Args 5>: error calling index: index out of range: 5'),
        ("{{lower}}", ':1:2: executing "" at <lower>: wrong number of args for lower: '
                      "want 1 got 0"),
        ("{{lower 5}}", ':1:8: executing "" at <5>: expected string; found 5'),
        ("{{eq 1 \"a\"}}", ':1:2: executing "" at <eq 1 "a">: error calling eq: '
                           "incompatible types for comparison"),
        ("{{template \"x\"}}",
         ':1:11: executing "" at <{{template "x"}}>: template "x" not defined'),
        ("{{range .Nested.Pid | printf \"%d\"}}{{end}}",
         ':1:29: executing "" at <"%d">: range can\'t iterate over 22382'),
        ("{{lt 1 1.5}}", ':1:2: executing "" at <lt 1 1.5>: error calling lt: '
                         "incompatible types for comparison"),
        ("{{1 2}}", ':1:2: executing "" at <1>: can\'t give argument to non-function 1'),
        ("{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}",
         ':1:25: executing "x" at <{{template "x"}}>: exceeded maximum template depth (100)'),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(template: str, message: str) -> None:
    with pytest.raises(TemplateRefused) as refusal:
        run(parse(template), VALUE, is_strict=True)
    assert refusal.value.what == f"template: {message}"

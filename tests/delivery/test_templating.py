"""Go's templates, as far as queries use them: what is written, and what is refused, and how."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.templating import TemplateError, parse, render
from delivery.templating.functions import BUILT_IN
from delivery.templating.syntax import Operand, Output, Pipe, Template
from delivery.templating.tokens import Action

VALUES: dict[str, Any] = {
    "name": "web",
    "namespace": "shop",
    "target": "app",
    "interval": "1m",
    "variables": {"reporter": "source", "empty": "", "deep": {"one": "two"}},
}


def written(text: str, **values: Any) -> str:
    known = VALUES | values
    return render(parse(text, frozenset(known) | frozenset(BUILT_IN)), known)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("sum(up)", "sum(up)"),
        ("{{ target }}", "app"),
        ("{{target}}", "app"),
        ('up{ns="{{ namespace }}",t=~"{{ target }}"}', 'up{ns="shop",t=~"app"}'),
        ("{{ variables.reporter }}", "source"),
        ("{{ variables.deep.one }}", "two"),
        ("{{ (variables).reporter }}", "source"),
        ('{{ index variables "reporter" }}', "source"),
        ("{{ (index variables `deep`).one }}", "two"),
        ('{{ "a\\"b}}" }}', 'a"b}}'),
        ("{{ `a\\b` }}", "a\\b"),
        ("{{ 1 }} {{ -2.5 }} {{ 2.0 }} {{ true }} {{ false }}", "1 -2.5 2 true false"),
        ("{{/* nothing }} of it */}}a", "a"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ("a \n {{- target -}} \n b", "aappb"),
        ("a {{-3}} b", "a -3 b"),
        ("{{ target | print }}", "app"),
        ('{{ target | printf "%s-%s" name }}', "web-app"),
        ('{{ printf "%s_%d_%v" target 3 true }}', "app_3_true"),
        (
            '{{ printf "%q %5.1f|%-4s|%x|%t|%%" "a" 1.25 "b" 255 false }}',
            '"a"   1.2|b   |ff|false|%',
        ),
        ('{{ print "a" 1 2 "b" }}', "a1 2b"),
        ('{{ println "a" 1 }}', "a 1\n"),
        ('{{ urlquery "a b&c" }}', "a+b%26c"),
        ("{{ len target }}{{ len variables }}", "33"),
        ('{{ index "abc" 1 }}', "98"),
        ("{{ variables.deep }}{{ nil }}", "map[one:two]<no value>"),
        ("{{ $x := target }}{{ $x }}", "app"),
        ('{{ printf "%s." print }}', "."),
        ("{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "2"),
        ("{{ $v := variables }}{{ $v.reporter }}", "source"),
        ("{{ $ }}{{ . }}", "<no value><no value>"),
        ('{{ $r := printf "%s__%s" namespace target }}r=~"{{ $r }}"', 'r=~"shop__app"'),
    ],
)
def test_values_are_written_as_go_writes_them(text: str, result: str) -> None:
    assert written(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ if variables.empty }}a{{ else }}b{{ end }}", "b"),
        ("{{ if variables.reporter }}a{{ end }}", "a"),
        ("{{ if variables.empty }}a{{ end }}", ""),
        ('{{ if eq target "x" }}a{{ else if eq target "app" }}b{{ else }}c{{ end }}', "b"),
        ('{{ if eq target "x" "app" }}a{{ end }}', "a"),
        ('{{ if ne target "x" }}a{{ end }}', "a"),
        ("{{ if and true (not false) }}a{{ end }}{{ if or false 0 }}b{{ end }}", "a"),
        ("{{ and true false }}{{ or false 2 }}", "false2"),
        ("{{ lt 1 2 }}{{ le 2 2 }}{{ gt 1 2 }}{{ ge 1.5 2.5 }}", "truetruefalsefalse"),
        ('{{ lt "a" "b" }}', "true"),
        ("{{ if $x := target }}{{ $x }}{{ end }}", "app"),
        ("{{ with variables.reporter }}{{ . }}{{ end }}", "source"),
        ("{{ with variables }}{{ .reporter }}{{ end }}", "source"),
        ("{{ with variables.empty }}a{{ else }}{{ . }}b{{ end }}", "<no value>b"),
        ("{{ with variables.empty }}a{{ else with target }}{{ . }}{{ end }}", "app"),
        ("{{ range variables.deep }}{{ . }}{{ else }}none{{ end }}", "two"),
        ("{{ range $k, $v := variables.deep }}{{ $k }}={{ $v }}{{ end }}", "one=two"),
        ("{{ range $v := variables.deep }}{{ $v }}{{ end }}", "two"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range nil }}a{{ else }}none{{ end }}", "none"),
        (
            "{{ range 2 }}{{ $x := . }}{{ range 2 }}{{ $x }}{{ . }} {{ end }}{{ end }}",
            "00 01 10 11 ",
        ),
    ],
)
def test_blocks_do_what_they_do_in_go(text: str, result: str) -> None:
    assert written(text) == result


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{{ variables.x }}", '{{ variables.x }}: map has no entry for key "x"'),
        ('{{ index variables "x" }}', 'map has no entry for key "x"'),
        ("{{ target.x }}", '"app" has no entry x'),
        ("{{ .x }}", '"<no value>" has no entry x'),
        ("{{ primary }}", 'function "primary" not defined; known: and, eq, '),
        ("{{ html target }}", 'function "html" not defined; known: '),
        ("{{ target", "{{ target }} is not closed; end it with }}"),
        ("{{ }}", "{{  }}: a value is missing"),
        ("{{ target | }}", "a value is missing"),
        ("{{ target ; }}", "';' is not expected"),
        ("{{ target, name }}", '"," is not expected'),
        ("{{ target ) }}", '")" is not expected'),
        ("{{ (target }}", '"(" is not closed'),
        ('{{ "\\z{" "\\x1" }}', "cannot be read"),
        ("{{ 1.e }}", "is not expected"),
        ("{{ $x }}", "undefined variable $x; declare it with $x := …"),
        ("{{ $x = 1 }}", "undefined variable $x"),
        ("{{ x := 1 }}", '":=" wants a variable before it'),
        ("{{ $a $b $c := 1 }}", '":=" wants a variable before it'),
        ("{{ target name }}", "only a function can be given values"),
        ("{{ target | name }}", "only a function can be given values"),
        ("{{ end }}", "{{ end }} has no beginning; remove it"),
        ("{{ else }}", "{{ else }} has no beginning"),
        ("{{ if target }}", "{{ if target }} is not ended; add {{ end }}"),
        ("{{ if target }}{{ else }}", "{{ if target }} is not ended"),
        ("{{ if target }}{{ else }}{{ else }}{{ end }}", "{{ if target }} is not ended"),
        ("{{ range 1 }}{{ else if true }}{{ end }}", '"else if" is not supported; use "else"'),
        ("{{ if 1 }}{{ else range 2 }}{{ end }}", '"else range" is not supported'),
        ('{{ define "x" }}{{ end }}', '"define" is not supported; write it out'),
        ("{{ break }}", '"break" is not supported'),
        ("{{ eq target }}", "eq: wants two values"),
        ('{{ eq 1 "a" }}', "1 and a cannot be compared: their types differ"),
        ("{{ lt true false }}", "true and false have no order"),
        ("{{ len 1 }}", "1 has no length"),
        ("{{ not }}", "not: 0 values do not fit it"),
        ("{{ and }}", "and: 0 values do not fit it"),
        ('{{ printf "%s" }}', "printf: nothing is left for %s"),
        ('{{ printf "a" 1 }}', "printf: no verb for 1"),
        ('{{ printf "%d" "a" }}', "printf: %d does not fit a"),
        ('{{ printf "%y" 1 }}', "printf: %y is not supported; use %s"),
        ("{{ range true }}{{ end }}", '"true" cannot be ranged over'),
        ('{{ range "ab" }}{{ end }}', '"ab" cannot be ranged over'),
        ("{{ range 20000 }}{{ . }}{{ end }}", "more than 20000 steps; shorten its loops"),
        ("{{ range 1000000 }}{{ end }}", '"1000000" cannot be ranged over'),
        ('{{ $x := "ab" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}', "print: gives more than"),
        ('{{ printf "%9999d" 1 }}', "printf: %9999 is not supported"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "too deep in each other; write it flat"),
        (f"{{{{ {'x' * 99} }}}}", "x…"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_place_and_the_reason(
    text: str, error: str
) -> None:
    with pytest.raises(TemplateError) as raised:
        written(text)
    assert error in str(raised.value)


def test_what_was_read_just_so_may_be_too_deep_to_write() -> None:
    inner: Pipe = parse("{{ target }}", VALUES).nodes[0].pipe  # type: ignore[union-attr]  # an Output
    for _ in range(5000):
        inner = Pipe(((Operand(inner),),))
    whole = Template((Output(Action("deep", ()), inner),))
    with pytest.raises(TemplateError, match="write it flat"):
        render(whole, VALUES)


def test_a_template_tells_which_functions_it_uses() -> None:
    known = frozenset(VALUES) | frozenset(BUILT_IN)
    assert parse('{{ printf "%s" target }}[{{ interval }}]', known).uses == {
        "printf",
        "target",
        "interval",
    }


@given(st.text())
def test_any_text_is_written_or_refused(text: str) -> None:
    try:
        result = written(text)
    except TemplateError:
        return
    assert "{{" in text or result == text


@given(st.text(st.sampled_from("{}-. $:=|(),\"`'a1/*\nendifrange")))
def test_any_action_is_written_or_refused(text: str) -> None:
    try:
        written("{{" + text + "}}")
    except TemplateError:
        return


@given(st.text(st.characters(exclude_characters="{}")), st.text(st.characters(codec="utf-8")))
def test_what_surrounds_a_value_stays_as_it_is(around: str, value: str) -> None:
    assert written(f"{around}{{{{ x }}}}{around}", x=value) == around + value + around

r"""A template says the same in our hands as in those of Docker's own client.

Docker's engine gives the document; `docker inspect --format` and our reader show it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pyminidock.cli.documents import as_struct
from pyminidock.cli.format import document_shower
from pyminidock.errors import MinidockError
from tests.reference import Reference

pytestmark = pytest.mark.compat

TEMPLATES = r"""
{{.State}}
{{.Config}}
{{.State.Health}}|{{.State.Health.Status}}
{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}
{{.Id}} {{json .State}}
{{.ID}} {{json .State}}
{{json .}}
{{.HostConfig.LogConfig}} {{.HostConfig.RestartPolicy}} {{.HostConfig.Ulimits}} {{.Mounts}}
{{.HostConfig.PidsLimit}} {{.HostConfig.Init}} {{.HostConfig.CPUShares}} {{.SizeRw}}
{{.Config.Cmd}} {{.Config.Entrypoint}} {{.HostConfig.Binds}} {{.Config.Volumes}}
{{.Config.Cmd}} {{len .Config.Entrypoint}} {{.HostConfig.NanoCpus}}
{{.Config.StopTimeout}} {{.Config.Labels.nope}} {{index .Config.Labels "nope"}}|
{{.Config.Labels.nope}} {{.Id}}
{{with .State.Health}}x{{else with .Name}}y{{.}}{{end}}
{{range 3}}{{.}}{{end}}
{{range .Args}}{{.}} {{end}}
{{range $i,$e := .Config.Env}}{{$i}}={{$e}};{{else}}none{{end}}
{{range $k,$v := .Config.Labels}}{{$k}}={{$v}};{{end}}
{{range .Args}}{{break}}{{end}}x
{{range .Name}}{{end}}
{{index .Args 0}} {{index .Args 5}}
{{index .Config.Labels "a"}} {{index .Config.Labels 1}}
{{index nil 1}}
{{len .Args}} {{len .Name}} {{len 3}}
{{printf "%q %d %5.2f|%-6s|%6s|%v|%T" .Name 5 1.5 "ab" "cd" .Args .Name}}
{{printf "%d" "a"}} {{printf "%s"}} {{printf "x" 1}} {{printf "%v %d" .Args .Args}}
{{printf "%05d|%+d|%x|%X|%#x|%o|%b|%c|%t|%%" 42 42 255 255 255 8 5 97 true}}
{{printf "%e %g %6.1f|%-8d|%*d" 1.5 2.5 3.14159 7 5 3}}
{{printf}}
{{print "a" 1 2 "b" "c" true false}} {{print nil}}
{{println "a" 1 2}}
{{html "<a>"}} {{js "a'"}} {{urlquery "a b"}}
{{slice .Name 1 3}} {{slice .Args 0 1}} {{slice .Name 9}}
{{title "a b-c"}} {{split "a,b" ","}} {{join .Args "-"}} {{pad "x" 1 2}}|{{truncate "ab" 1}}
{{and .Name .Args}} {{or .Args .Name}} {{not .Name}} {{and .Name ""}} {{or "" 0}}
{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}}
{{eq .Name "/told"}}
{{eq 1 "a"}}
{{lt 1 1.5}}
{{if and (eq .State.Status "running") .State.Running}}up{{end}}
{{$x := .Name}}{{$x}}{{$x = 3}}{{$x}} {{$.Name}}
{{$x = 1}}
{{with $x := .Name}}{{$x}}{{end}}{{$x}}
{{(index .Args 0)}} {{(index .Args 0) | lower | printf "%s!"}}
{{define "x"}}D{{.}}{{end}}{{template "x" .Name}}
{{block "x" .Name}}B{{.}}{{end}}
{{template "x"}}
{{template .}}
{{define "a"}}
{{`raw \n`}} {{'a'}} {{0x10}} {{1.5e3}} {{true}} {{1e21}} {{.5}} {{-3}}
a {{- .Name -}} b
x{{/* c */}}y
{{json nil}} {{json .Args}} {{json .Config.Labels}} {{.Name | json}}
{{.State.Pid.Foo}}
{{.Name.Foo}}
{{.Nope}}
{{.Config.Nope}}
{{.Nope.Nope}}
{{lower}}
{{lower 5}}
{{lower .Name "b"}}
{{lower .Nope}}
{{join .Name "x"}}
{{pad "x" "y" 1}}
{{1 2}}
{{nil}}
{{.Name 1}}
{{"a".Foo}}
{{nope .}}
{{.Name
{{end}}
{{else}}
{{if .Name}}
{{if}}{{end}}
{{if 1}}{{else}}{{else}}{{end}}
{{"abc}}
{{`abc}}
{{$x}}
{{.Name | }}
{{| .Name}}
{{.Name | 1}}
{{}}
{{range}}{{end}}
{{range $a,$b,$c := .Args}}{{end}}
{{break}}
{{.Name)}}
{{(.Name}}
{{.Na-me}}
{{1x}}
{{.Name !}}
{{.Name:}}
{{/* x
plain
""".strip().splitlines()


@pytest.fixture(scope="module")
def told(reference: Reference) -> Iterator[dict[str, Any]]:
    """What Docker's engine says of a container."""
    flags = ("--name", "told", "--network", "none", "-l", "a=1", "-l", "b=<x>")
    made = reference.docker("run", "-d", *flags, reference.image, "sleep", "3000")
    assert made.returncode == 0, made.stderr
    yield json.loads(reference.docker("inspect", "told").stdout)[0]
    reference.docker("rm", "-f", "told")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_what_docker_makes_it_say(
    reference: Reference, told: dict[str, Any], template: str
) -> None:
    theirs = reference.docker("inspect", "--format", template, "told")
    try:
        ours, refusal = document_shower(template)(as_struct(told), told) + "\n", ""
    except MinidockError as refused:
        ours, refusal = "", refused.what
    assert (ours, refusal) == (theirs.stdout.lstrip("\n"), theirs.stderr.strip())

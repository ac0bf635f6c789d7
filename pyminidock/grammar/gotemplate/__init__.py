"""The language of `--format`: Go's text/template, as Docker's command line speaks it.

    {{range .Mounts}}{{.Source | upper}} {{end}}
    └──────────────── lexing: tokens ──────────┘
                      parsing: a tree of nodes
                      running: the tree, and a value for the dot, become text

lexing     text and actions, words and their places    nodes      what a tree is made of
parsing    tokens become a tree                        running    a tree becomes text
evaluating what a word is worth
functions  what can be called: len, index, json …      printf     %s, %d, %-20s
values     structs, maps and nil, and how Go prints them

Messages are Go's to the letter, places included: `template: :1:2: executing "" at <.Nope>`.
Source: Go, text/template and text/template/parse; docker/cli, templates/templates.go.
"""

from pyminidock.grammar.gotemplate.nodes import TemplateRefused
from pyminidock.grammar.gotemplate.parsing import Template, parse
from pyminidock.grammar.gotemplate.running import run
from pyminidock.grammar.gotemplate.values import NIL, Map, Nothing, Struct

__all__ = [
    "NIL",
    "Map",
    "Nothing",
    "Struct",
    "Template",
    "TemplateRefused",
    "parse",
    "run",
]

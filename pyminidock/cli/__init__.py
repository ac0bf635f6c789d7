"""The same stories, typed: every verb of `minidock`, in a terminal or a script.

main        which verb is meant, and how a refusal is shown
words       how a command line is read       flags     what becomes of the flags of `run`
run         a container with our streams     second    `exec`, a second process
terminal    streams, raw mode, signals       detach    ctrl-p,ctrl-q
containers  ps, rm, kill, stop …             engine    doctor, daemon, system …
explain     plans, flags and isolation       step      held between two steps
trace       what was recorded
"""

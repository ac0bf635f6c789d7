"""What a Docker client does: find an engine, ask it, listen, type into programs.

connect     find or start an engine
handles     Client: everything that can be asked, one method each
transport   what a question and a reply are
http        over the engine's socket        inprocess   without a socket
attach      streams of a program            watch       live events, gates
"""

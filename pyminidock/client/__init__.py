"""What a Docker client does: find an engine, ask it, listen, type into programs.

connect     find or start an engine
handles     Client: everything that can be asked, one method each
life        … about running containers       files       … about their files
images      … about images                   builds      … about builds
system      … about the engine
transport   what a question and a reply are
http        over the engine's socket        inprocess   without a socket
attach      streams of a program            watch       live events, gates
following   what a build says               gates       several gates that look like one
session     Engine: what scripts and notebooks begin returns at once
story       … the handle of it              runbody     … what a run is asked for
runstory    … the handle of a run           buildstory  … the handle of a build
"""

"""A program's files, watched on the kernel's own overlay while it runs at native speed.

    marking     asks the kernel to tell: fanotify groups, marks, handles
    records     what it tells, taken apart (pure)
    commands    who a pid is, also when it has ended since
    askers      what /proc tells of a process that waits for an answer
    explaining  which layer answered: the pure lookup, over the layers as they lie there
    files       the two groups of one container, and who is held in open(2)
    line        told to the engine, which may ask that somebody is held
    container   the process that does all this beside a container
    hearing     the engine's end

The engine is not in the way: whoever is watched waits for nobody but the kernel, unless a
gate is set.  Source: man 7 fanotify, man 2 fanotify_init, fanotify_mark.
"""

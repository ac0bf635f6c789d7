"""Several trees look like one.

Read in this order:

    lookup                       the rule, over layers that are mappings in memory
    branches, search             the same for anything that answers; redirects, metacopy
    effects                      what a change does to the upper layer, as data
    copyup, naming, renaming     who decides that: the first write, names, moves
    accounts                     one path: who has its bytes, and what a write copies
    aufs                         the same stack under the older rules, counted
    model/                       all of it on trees in memory, judged by the kernel
    changes, weighing, whiteout  what a layer changed, what it weighs, how it is written
"""

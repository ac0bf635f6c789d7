"""A verb is a story: run, exec, remove, inspect, explain, each told step by step.

    recorder   stamps what the rooms tell, numbers it, fans it out
    telling    an event with its circumstances; `sources` finds the code behind an effect
    rings      one for each listener; a slow one loses events, never our time
    gates      hold a story at an event until somebody lets it go on
    journals   stories as files, bounded; `writer` is the thread that writes them

    house      builds the rooms once; `kernels` chooses the kernel
    lives      which container lives, and who is busy with it; `outcomes` what others wait
               for, `attachments` who is going to listen
    operations one API call, as its story tells it
    run        the verbs of a container: starting, stopping, signalling, pausing, renaming,
               burying; `ending` is what follows when its program ends, `restarts` whether
               it is started again
    execs, inspect, explain, flags, reconcile    other stories
    images, loading, saving, removing    the stories of images; `archived` reads what comes
               in, `filters` and `defaults` what is said with a request
    build, buildruns, explaincache       the story of a build, and why it went so
    naming, etcfiles    a name and three files for every container
    introducing, nameserver, linking    who is who: names, answers, links; `hearsay` what of
               it is told

More modules than a room should have: the first five are one idea, the rest another, and
neither would be understood without the other.
"""

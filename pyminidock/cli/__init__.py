"""The same stories, typed: every verb of `minidock`, in a terminal or a script.

main        which verb is meant              catalogue   the verbs, and where each is
words       how a command line is read       failures    how a refusal is shown
format      --format, Go's templates         documents   answers seen as Docker's structs
tables      columns, plain or drawn          human       "2 hours ago", "1.2MB"
flags       of `run`; createbody, hostconfig, endpoints and readflags: what they become
run         a container with our streams     second      `exec`, a second process
terminal    streams, raw mode, signals       detach      ctrl-p,ctrl-q
ps          which containers there are       inspecting  everything about them
containers  rm, kill, stop, rename …         update      other limits
images      what is there                    archives    in and out of files
engine      doctor, daemon, system …         explain     plans, flags and isolation
step        held between two steps           trace       what was recorded
lab         JupyterLab on the course         lab_server  JupyterLab, sooner
"""

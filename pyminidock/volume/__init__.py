"""Data that outlives containers: what a container mounts, and how a new volume is filled.

    points     one tree from elsewhere in a container, and who wins where two want a place
    options    what the local driver can be asked for
    populate   the first use of an empty volume: the image's files are copied into it

Where volumes lie, and which there are, is `store.volumes`; who uses them, `engine.volumes`.
"""

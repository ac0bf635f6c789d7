"""Networks as values: who may have which address, under which name, by which calls.

    objects     Network, Pool           what was made, and its options
    wish        Wish                    what is asked for, and what of it cannot be
    endpoints   Endpoint                one container's place in one network
    ipam        pools and addresses     which are free, which come next
    choice      which way out, which interface is eth0
    plan        values → kernel calls   bridges, cables, ways out
    names       who is called how, in which network
    answers     what a name server says of that
    hosts       /etc/hosts, as Docker writes it
    resolvconf  /etc/resolv.conf, as Docker writes it

Nothing here touches the system: what is decided goes as a plan through the kernel's door.
"""

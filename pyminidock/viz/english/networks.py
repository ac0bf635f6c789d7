"""The words about networks as objects: made and removed, joined and left."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

NETWORKS: Mapping[str, Words] = {
    "network.created": (
        "There is a new network, {name}, with the addresses {subnets}",
        "It is a name and a pool of addresses; a bridge comes with the first user.",
        "POST /networks/create: {network}, driver {driver}",
    ),
    "network.removed": (
        "The network {name} is gone",
        "Only a network in which nobody runs can go; its addresses are free again.",
        "DELETE /networks/{network}, driver {driver}",
    ),
    "network.joined": (
        "The container will be in the network {name} when it starts",
        "A container that rests has no interfaces: what is kept is the wish.",
        "POST /networks/{network}/connect: {container}",
    ),
    "network.left": (
        "The container is no longer a member of the network {name}",
        "It keeps its other networks; who was only in this one cannot reach it any more.",
        "POST /networks/{network}/disconnect: {container}",
    ),
    "endpoint.made": (
        "In the network {name} it is {address}",
        "Everybody in the same network reaches it there; {inside} leads to the bridge.",
        "endpoint {endpoint}: {mac}, gateway {gateway}, driver {driver}",
    ),
    "endpoint.released": (
        "Its place in the network {name} is given back: {address} is free",
        "Addresses belong to a run, not to a container: the next start may get another.",
        "endpoint {endpoint} of {container}",
    ),
    "networks.pruned": (
        "The networks that nobody used are gone: {networks}",
        "A network in use by a container, running or not, stays.",
        "POST /networks/prune: {networks}",
    ),
}

"""Words about the instructions of a Dockerfile: what each of them is for."""

from collections.abc import Mapping

INSTRUCTIONS: Mapping[str, str] = {
    "FROM": "It chooses the image that the next steps stand on, and begins a stage.",
    "RUN": "A program runs in a container; what it writes becomes a layer of the image.",
    "COPY": "Files of the context, or of another stage, become a layer of the image.",
    "ADD": "As COPY, and it unpacks archives and fetches addresses.",
    "WORKDIR": "Later steps and the program start there; it is made if it is missing.",
    "ENV": "Variables for later steps and for every container of the image: no secrets.",
    "ARG": "A value for this build only; a RUN sees it, and the history remembers it.",
    "CMD": "What a container does if nobody says otherwise.",
    "ENTRYPOINT": "The program that a container is; words behind the image become its own.",
    "USER": "Who later steps and the program are, inside.",
    "EXPOSE": "A note for readers about a port; it opens nothing.",
    "VOLUME": "What is written there lives outside the container's layer.",
    "LABEL": "A note for programs and people; it changes nothing in a container.",
    "HEALTHCHECK": "How to ask a container whether it is well.",
    "ONBUILD": "An instruction for whoever builds on this image.",
    "SHELL": "Who reads the text of later RUN, CMD and ENTRYPOINT.",
    "STOPSIGNAL": "How a container is asked to end.",
    "MAINTAINER": "A name in the image's description; LABEL is the newer way.",
}
ANY_INSTRUCTION = "Each instruction turns one image into the next."

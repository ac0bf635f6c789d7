"""The tag of a log: a template with the facts of its container.

    {{.Name}}/{{.ID}}                  web/4c01db0b339c
    {{.ImageName | upper}}             BUSYBOX:LATEST
    {{index .ContainerLabels "team"}}  backend

Source: moby, daemon/logger/loginfo.go and loggerutils/log_tag.go; Docker's manual,
"Customize log driver output"; the messages were compared with dockerd 26.1.5.
"""

from pyminidock.container.spec import ContainerSpec
from pyminidock.errors import MinidockError


class TagRefused(MinidockError):
    """The template cannot be filled in."""


def spell_tag(template: str, spec: ContainerSpec, image_id: str = "") -> str:
    """Fill a template in.  Raises TagRefused, in Go's words."""
    if "{{" not in template:  # most tags; the language of templates stays unread
        return template
    from pyminidock.grammar.gotemplate import (  # noqa: PLC0415
        Map,
        Struct,
        TemplateRefused,
        parse,
        run,
    )

    facts = _facts(spec, image_id)
    typed = {name: Map(v) if isinstance(v, dict) else v for name, v in facts.items()}
    try:
        return run(parse(template), Struct(typed, "*logger.Info"))
    except TemplateRefused as refusal:
        words = refusal.what.replace("template: :", "template: log-tag:", 1)
        raise TagRefused(
            words.replace('executing ""', 'executing "log-tag"', 1),
            why="a tag holds facts: {{.Name}}, {{.ID}}, {{.ImageName}}, {{upper .Name}}",
            try_next="--log-opt tag={{.Name}}/{{.ID}}",
            lesson="logs",
        ) from refusal


def _facts(spec: ContainerSpec, image_id: str) -> dict[str, object]:
    return {
        "ID": spec.id[:12],
        "FullID": spec.id,
        "ContainerID": spec.id,
        "Name": spec.name,
        "ContainerName": f"/{spec.name}",
        "ImageID": image_id[:12],
        "ImageFullID": image_id,
        "ContainerImageID": image_id,
        "ImageName": spec.image,
        "ContainerImageName": spec.image,
        "Command": " ".join(spec.argv),
        "ContainerEntrypoint": spec.argv[0],
        "ContainerArgs": list(spec.argv[1:]),
        "ContainerEnv": list(spec.given_environment),
        "ContainerLabels": dict(spec.labels),
        "Config": dict(spec.log_options),
        "DaemonName": "docker",
    }

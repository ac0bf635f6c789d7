"""What `import --change` adds: instructions that change an image's defaults, and no file.

    minidock import -c 'CMD ["sh"]' -c "ENV A=1" tree.tar me/tree

They are the builder's own instructions, carried out on the empty configuration.

Source: moby, builder/dockerfile/builder.go, BuildFromConfig().
"""

from collections.abc import Sequence

from pyminidock.build.stage import Make, Outcome, Standing
from pyminidock.build.steps import outcome
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.arguments import Arguments
from pyminidock.dockerfile.parse import parse_trigger
from pyminidock.dockerfile.substitute import substitute
from pyminidock.errors import MinidockError
from pyminidock.image.config import ImageConfig
from pyminidock.image.document import Image

_KNOWN = ("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD",
          "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")  # fmt: skip


class ChangeRefused(MinidockError):
    """An instruction that would do more than change a default."""

    status = 400


class _Nobody:
    """The doer of deeds that are never done: only the configuration counts."""

    def transfer(self, standing: Standing, step: said.Copy | said.Add) -> Outcome:
        """Be no answer: such a step is refused before."""
        raise NotImplementedError

    def run(self, standing: Standing, step: said.Run) -> Outcome:
        """Be no answer: such a step is refused before."""
        raise NotImplementedError

    def directory(self, standing: Standing, path: str) -> Make:
        """Give no deed."""
        return lambda: None


def changed(config: ImageConfig, changes: Sequence[str]) -> ImageConfig:
    """Carry out changes on a configuration.

    Raises ChangeRefused, DockerfileMalformed, InstructionRefused, SubstitutionFailed.
    """
    standing = Standing("", Image(config), (), 0, Arguments())
    for change in filter(str.strip, changes):
        word = change.split()[0]
        if word.upper() not in _KNOWN:
            raise ChangeRefused(
                f"{word[:80]} is not a valid change command",
                why=f"a change is one of {', '.join(_KNOWN)}",
                try_next="a Dockerfile that begins FROM the imported image",
                lesson="images",
            )
        words = standing.arguments.for_words(standing.environment)
        step = substitute(parse_trigger(change), words)
        came = outcome(standing, step, _Nobody())
        standing = came.after(standing.with_config(came.config))
    return standing.config

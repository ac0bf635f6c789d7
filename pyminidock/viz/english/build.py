"""Words about a build: a Dockerfile becomes an image, step by step."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

BUILD: Mapping[str, Words] = {
    "path.ignored": (
        "{path} stays at home: line {line} of {ignore_file}",
        "What is not sent cannot be copied, cached or leaked; the daemon never sees it.",
        "{pattern} was the last line of {ignore_file} to match {path}",
    ),
    "context.received": (
        "The build context is here: {files} names, {size_bytes} bytes",
        "COPY and ADD see this copy and nothing else; the client's folder is out of reach.",
        "unpacked below {path}, hashed on the way",
    ),
    "instruction.parsed": (
        "Line {first_line}: {text}",
        "The whole Dockerfile is read before the first step, so a typo costs no time.",
        "step {step} of stage {stage}, lines {first_line} to {last_line}",
    ),
    "step.started": (
        "Step {step} of {total}: {text}",
        "Each instruction turns one image into the next.",
        "stage {stage}, line {line}",
    ),
    "step.skipped": (
        "Step {step} of {total} is skipped: {text}",
        "No stage that is wanted needs this one, so its instructions are not carried out.",
        "stage {stage}, line {line}",
    ),
    "cache.hit": (
        "Step {step} was done before: its result is taken",
        "Same image before it, same instruction, same files: the result is the same, too.",
        "image {image}",
    ),
    "cache.missed": (
        "Step {step} has to be done: {reason}",
        "Whatever could change the result is compared; after one miss all steps are done.",
        "cause {cause} {detail} {path}: {before!r} → {after!r}",
    ),
    "config.changed": (
        "The image's {field} is now {after}",
        "Settings live in the image's configuration; such a step adds no files.",
        "{field}: {before} → {after}",
    ),
    "file.copied": (
        "{path} is in the new layer",
        "It was put there directly: no container and no mount is needed to copy.",
        "{kind} {source} → {path}, mode {mode:o}, owner {uid}:{gid}, {size_bytes} bytes",
    ),
    "files.omitted": (
        "And {count} more",
        "A step tells its first files one by one; the layer's listing has them all.",
        "{count} names without an event of their own",
    ),
    "step.printed": (
        "The program says: {text}",
        "Step {step} runs a program in a container; it wrote this to its {stream}.",
        "{stream} of step {step}: {text!r}",
    ),
    "layer.committed": (
        "A new layer: {files} names, {size_bytes} bytes",
        "It is kept twice, as a tree to mount and as an archive to ship.",
        "diff ID {diff_id}, chain ID {chain_id}",
    ),
    "step.finished": (
        "Step {step} gave image {image}",
        "It is an image like any other: run it to see how things stand after this step.",
        "image {image}, {milliseconds} ms",
    ),
    "step.finished/cached": (
        "Step {step} gave image {image}, at once",
        "Doing it again would have cost {milliseconds} ms.",
        "image {image}, {milliseconds} ms when it was made",
    ),
    "image.built": (
        "Stage {stage} is done: image {image}",
        "The last step's image is the stage's; other stages can copy from it.",
        "stage {stage}: {image}",
    ),
    "image.tagged": (
        "The image is called {name}",
        "A name is a pointer to an image; it can be moved, the image stays as it is.",
        "{name} → {image}",
    ),
    "image.tagged/moved": (
        "{name} is another image now",
        "A name is a pointer: the image that had it, {previous}, stays without this name.",
        "{name} → {image}, before {previous}",
    ),
    "build.failed": (
        "The build ends at step {step}: {text}",
        "To look around just before it: {enter_command}",
        "exit code {code}",
    ),
}

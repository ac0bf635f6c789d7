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
        "The build context is here: {count}, {size}",
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
        "{purpose}",
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
    "cache.missed/first": (
        "Step {step} has to be done: {reason}",
        "There is nothing to take: the cache knows no such step on this image.",
        "no row in the cache for this image and this instruction",
    ),
    "cache.missed/disabled": (
        "Step {step} is done again: {reason}",
        "With --no-cache every step is done, as if nothing had been built before.",
        "--no-cache: the cache was not asked",
    ),
    "cache.missed/parent": (
        "Step {step} has to be done: {reason}",
        "It stands on a new image now; what was built on the old one is of no use to it.",
        "the image before it is {after}: the cache was not asked",
    ),
    "cache.missed/base": (
        "Step {step} has to be done: {reason}",
        "The same step was done before, but on another image: {before}, now {after}.",
        "parent {before} → {after}",
    ),
    "cache.missed/instruction": (
        "Step {step} has to be done: {reason}",
        "It was: {before}. Only the words count, after variables are filled in.",
        "{before!r} → {after!r}",
    ),
    "cache.missed/place": (
        "Step {step} has to be done: {reason}",
        "Each step stands on the one before it, so their order and number count.",
        "{detail}: {before!r} → {after!r}",
    ),
    "cache.missed/variable": (
        "Step {step} has to be done: {reason}",
        "Its value is filled into the words, and the words are what is compared.",
        "{detail}: fingerprint {before!r} → {after!r}; the value is kept nowhere",
    ),
    "cache.missed/removed": (
        "Step {step} has to be done: {reason}",
        "The image that it had made is gone, by rmi or by a prune.",
        "no image {before!r} any more",
    ),
    "cache.missed/unfinished": (
        "Step {step} has to be done: {reason}",
        "A step that failed, or was never reached, has left nothing to take.",
        "no row in the cache: the last build ended before it was written",
    ),
    "cache.missed/argument": (
        "Step {step} has to be done: {reason}",
        "A RUN sees all build arguments, so each of them could change what it does.",
        "{detail}: fingerprint {before!r} → {after!r}; the value is kept nowhere",
    ),
    "cache.missed/file": (
        "Step {step} has to be done: {reason}",
        "It was {before} and is {after}; a newer time alone would not have counted.",
        "{detail} of {path}: {before!r} → {after!r}",
    ),
    "cache.missed/name": (
        "Step {step} has to be done: {reason}",
        "The names count, not only what is in them: another list is another result.",
        "{detail} {path}: {before!r} → {after!r}",
    ),
    "config.changed": (
        "{setting} is now {after}",
        "Settings live in the image's configuration; such a step adds no files.",
        "config {field}: {before} → {after}",
    ),
    "config.changed/more": (
        "{setting} gains {gained}",
        "What was set before stays; the configuration of the image has all of it.",
        "config {field}: {before} → {after}",
    ),
    "config.changed/none": (
        "{setting} is nothing now; it was {before}",
        "Setting one of ENTRYPOINT and CMD can empty the other: they belong together.",
        "config {field}: {before} → none",
    ),
    "file.copied": (
        "{path} is in the new layer: {shape}, mode {mode:04o}",
        "It was put there directly: no container and no mount is needed to copy.",
        "linkat(2) or copy_file_range(2) {source} → {path}, mode {mode:04o}, {uid}:{gid}",
    ),
    "file.copied/changed": (
        "{path} is in the new layer and covers the one below: {shape}, {mode:04o}",
        "Layers only add: the old one is still in its layer, and still takes its bytes.",
        "linkat(2) or copy_file_range(2) {source} → {path}, mode {mode:04o}, {uid}:{gid}",
    ),
    "file.changed/added": (
        "The program made {path}: {shape}, mode {mode:04o}",
        "It lies in the writable layer; the layers below do not have this name.",
        "lstat(2) in the upper directory: {path}, mode {mode:04o}, owner {uid}:{gid}",
    ),
    "file.changed/changed": (
        "The program changed {path}: {shape}, mode {mode:04o}",
        "A file is copied up as a whole before the first byte of it changes.",
        "lstat(2) in the upper directory: {path}, mode {mode:04o}, owner {uid}:{gid}",
    ),
    "file.changed/deleted": (
        "The program deleted {path} ({shape}), which stays in a layer below",
        "A layer cannot take away: a whiteout hides the name, the bytes are shipped still.",
        "a whiteout (character device 0:0) at {path} in the upper directory",
    ),
    "files.omitted": (
        "And {count} names more",
        "A step tells its first files one by one; the layer's listing has them all.",
        "{count} names without an event of their own",
    ),
    "step.printed": (
        "It says: {text}",
        "Step {step} runs a program in a container; it wrote this to its {stream}.",
        "{stream} of step {step}: {text!r}",
    ),
    "layer.committed": (
        "A new layer: {count}, {size}",
        "It is kept twice, as a tree to mount and as an archive to ship.",
        "diff ID {diff_id}, chain ID {chain_id}",
    ),
    "step.finished": (
        "Step {step} gave image {image} in {cost}",
        "It is an image like any other: run it to see how things stand after this step.",
        "image {image}, {milliseconds} ms",
    ),
    "step.finished/cached": (
        "Step {step} gave image {image} at once; it had taken {cost}",
        "No container, no mount, no copy: a row in a table says which image it was.",
        "image {image}, {milliseconds} ms when it was made",
    ),
    "step.finished/nothing": (
        "Step {step} is done; there is no image yet",
        "Before the first FROM, and on FROM scratch, nothing stands on anything.",
        "no image, {milliseconds} ms",
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
        "exit code {code}; the steps before it stay in the cache",
    ),
    "build.failed/early": (
        "The build ends at step {step}: {text}",
        "There was no image yet to look into.",
        "exit code {code}",
    ),
}

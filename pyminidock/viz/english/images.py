"""Words about layers, images and what is looked up in them."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

IMAGES: Mapping[str, Words] = {
    "layer.probed": (
        "Looked for {path} in layer {layer}: {answer}",
        "Layers are asked from the top down; the first clear answer ends the search.",
        "ovl_lookup_single(): {path} in {layer} is {answer}",
    ),
    "path.resolved": (
        "{path} comes from {layers}",
        "Directories merge, files hide what is below them, whiteouts delete.",
        "ovl_lookup(): {path} → {layers}",
    ),
    "path.resolved/absent": (
        "{path} does not exist",
        "No layer had it, or a whiteout in a higher layer says that it was deleted.",
        "ovl_lookup(): {path} → ENOENT (2)",
    ),
    "layer.probed/program": (
        "Layer {layer} was asked for {path}: {answer}",
        "A live program named the path; the layers are asked from the top down.",
        "{command}[{pid}]: {path} in {layer} is {answer}",
    ),
    "path.resolved/program": (
        "{command} learned that {path} comes from {layers}",
        "Directories merge, files hide what is below them, whiteouts delete.",
        "{command}[{pid}]: {path} → {layers}",
    ),
    "path.resolved/absent/program": (
        "{command} learned that {path} does not exist",
        "No layer had it, or a whiteout in a higher layer says that it was deleted.",
        "{command}[{pid}]: {path} → ENOENT (2)",
    ),
    "call.answered": (
        "{command} called {call} for {path}",
        "The program had its answer: the call has worked.",
        "{command}[{pid}]: {call}({path}) = 0",
    ),
    "call.answered/named": (
        "{command} called {call}: {old} to {path}",
        "The program had its answer: the call has worked.",
        "{command}[{pid}]: {call}({old}, {path}) = 0",
    ),
    "call.answered/refused": (
        "{command} called {call} for {path}, and was refused: {error}",
        "The program had its answer, an errno; what it does about it is its business.",
        "{command}[{pid}]: {call}({path}) = -{error}",
    ),
    "call.answered/refused/named": (
        "{command} called {call}: {old} to {path}, and was refused: {error}",
        "The program had its answer, an errno; what it does about it is its business.",
        "{command}[{pid}]: {call}({old}, {path}) = -{error}",
    ),
    "path.copied.up/program": (
        "{command} changes {path}: copied up from layer {layer} ({extent})",
        "Layers below never change; the first write copies the whole object, not the byte.",
        "{command}[{pid}]: {path} from {layer}, {extent}, {size_bytes} bytes",
    ),
    "whiteout.made/program": (
        "{command} deleted {path}: a whiteout hides it",
        'A layer below has the name and cannot change, so "deleted" is written above it.',
        "{command}[{pid}]: mknod {path} c 0 0 in the upper layer",
    ),
    "opaque.made/program": (
        "{command} made {path}, which hides what the layers below have there",
        "What was deleted under this name must not shine through the new directory.",
        "{command}[{pid}]: trusted.overlay.opaque=y on {path} in the upper layer",
    ),
    "redirect.made/program": (
        "{path}, moved by {command}, still finds its lower layers, at {to}",
        "A renamed directory is not copied; it remembers the name that layers below know.",
        "{command}[{pid}]: trusted.overlay.redirect={to} on {path} in the upper layer",
    ),
    "path.copied.up": (
        "{path} was copied up from layer {layer}: {extent}",
        "Layers below never change; the first write copies the whole object, not the byte.",
        "ovl_copy_up(): {path} from {layer}, {extent}, {size_bytes} bytes",
    ),
    "whiteout.made": (
        "A whiteout says that {path} is deleted",
        'A layer below has the name and cannot change, so "deleted" is written above it.',
        "mknod {path} c 0 0 in the upper layer",
    ),
    "opaque.made": (
        "The directory {path} hides what the layers below have there",
        "What was deleted under this name must not shine through the new directory.",
        "setfattr -n trusted.overlay.opaque -v y {path} in the upper layer",
    ),
    "redirect.made": (
        "{path} still finds its lower layers, at {to}",
        "A renamed directory is not copied; it remembers the name that layers below know.",
        "setfattr -n trusted.overlay.redirect -v {to} {path} in the upper layer",
    ),
    "image.found": (
        "The image {name} is here",
        "An image is a stack of trees; a container will see them but never write to them.",
        "{name} → {image}, layers {layers}",
    ),
    "image.found/stand-in": (
        "The image {name} is a stand-in: really {stand_in}",
        "Nothing pretends to be what it is not: this image was made here, not pulled.",
        "{name} → {image}, a stand-in made of {stand_in}",
    ),
    "layer.unpacked": (
        "A layer was unpacked: {count}, {size}",
        "A layer travels as an archive and lives as a tree, named after all that is below.",
        "tar -x into layers/{chain_id}, diff id {diff_id}",
    ),
    "layer.found": (
        "A layer is here already: {count}, {size}",
        "One tree for everybody who stands on it: {names}.",
        "layers/{chain_id}, diff ID {diff_id}",
    ),
    "layer.reused": (
        "A layer was here already",
        "The same changes on the same base are one tree, however many images stand on it.",
        "layers/{chain_id}",
    ),
    "image.loaded": (
        "An image came in, with {layers} layers",
        "Its id is the digest of its description: the same image has the same id anywhere.",
        "{image}, names {names}",
    ),
    "image.imported": (
        "An image was made of an archive of files",
        "It has one layer and knows nothing of who ran what: there is no history in it.",
        "{image}",
    ),
    "images.pruned": (
        "The images that nobody used are gone: {reclaimed} bytes came back",
        "An image is unused when no container stands on it and no name leads to it.",
        "POST /images/prune: {reclaimed} bytes",
    ),
    "cache.pruned": (
        "The build cache is smaller by {reclaimed} bytes",
        "What it knew is forgotten: the next build does those steps again.",
        "POST /build/prune: {reclaimed} bytes",
    ),
    "image.saved": (
        "An image was written into an archive",
        "Everything in it is named by its digest: whoever reads it can check all of it.",
        "{image}, names {names}",
    ),
    "image.untagged": (
        "The name {name} leads nowhere now",
        "A name is a label on an image; taking it off leaves the image as it was.",
        "{name} no longer names {image}",
    ),
    "image.removed": (
        "An image is no more",
        "Its description is gone; a layer stays as long as somebody else stands on it.",
        "rm {image}",
    ),
    "layers.removed": (
        "What nobody needed is gone: {size}",
        "No image, no container and no work in progress needed these layers and blobs.",
        "rm layers {layers}, {blobs} blobs",
    ),
    "store.repaired": (
        "Put in order what an earlier engine left: {what} {deed}",
        "A crash leaves halves behind; the next engine removes them, or moves them aside.",
        "{what} {name} {deed}: {why}",
    ),
    "archive.warned": (
        "An archive is odd: {what}",
        "It can be read without a guess, so it is; what would need a guess is refused.",
        "{what}, entry {entry!r}, at byte {offset}",
    ),
    "snapshot.prepared": (
        "The container gets an empty writable layer on top of the image",
        "Whatever it writes lands there; the layers below stay as they are, shared by all.",
        "mkdir {upper} and {work}, above {lower}",
    ),
    "snapshot.removed": (
        "The writable layer is deleted, with all that is still in it",
        "That is what docker rm loses. What a commit or a build took out is a layer now.",
        "the upper and work directories of {container} are removed",
    ),
}

"""What the store does for its callers, each as one process would do it."""

from pathlib import Path

from pyminidock.store.gc import sweep
from pyminidock.store.opening import open_store
from tests.store.stores import name, put_image


def one_image(root: Path) -> None:
    """Have an image `web` of two layers, and nothing else."""
    store = open_store(root)
    put_image(store, "web", "below" * 500, "above")
    store.close()


def rubbish(root: Path) -> None:
    """Have an image `web`, and layers that nobody needs since an image was removed."""
    store = open_store(root)
    put_image(store, "web", "below", "above")
    put_image(store, "old", "below", "other", "more")
    image = store.images.tagged(name("old"))
    assert image is not None
    store.images.remove(image.id)
    store.close()


def load(root: Path) -> None:
    """Bring in an image that shares a layer with `web`, if that is there."""
    store = open_store(root)
    put_image(store, "loaded", "below" * 500, "something new" * 400)
    store.close()


def tag(root: Path) -> None:
    """Give `web` another name, and take its own away."""
    store = open_store(root)
    image = store.images.beginning(store.images.all()[0].id)[0]
    store.images.tag(name("alias"), image.id)
    store.images.untag(name("web"))
    store.close()


def remove(root: Path) -> None:
    """Remove every image and sweep."""
    store = open_store(root)
    for image in store.images.all():
        store.images.remove(image.id)
    sweep(store)
    store.close()


def prune(root: Path) -> None:
    """Sweep."""
    store = open_store(root)
    sweep(store)
    store.close()

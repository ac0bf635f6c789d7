"""Extended attributes that overlayfs keeps to itself, and how a program may have its own.

The marks in the upper directory begin with `trusted.overlay.`; a program in the container
never sees them.  If it sets one of that name (because it makes an overlay in the overlay),
one more `overlay.` is put in, so that it means nothing to us:

    program  trusted.overlay.opaque      disk  trusted.overlay.overlay.opaque

Source: Linux, fs/overlayfs/xattrs.c, ovl_xattr_escape_name(), ovl_listxattr().
"""

import errno
from collections.abc import Iterator

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"


def real(name: str, private: str, *, has_lists: bool = False) -> str:
    """Give the name on the disk.  Raises OSError (EOPNOTSUPP) for unwanted access lists.

    >>> real("trusted.overlay.opaque", "trusted.overlay.")
    'trusted.overlay.overlay.opaque'
    >>> real("user.colour", "trusted.overlay.")
    'user.colour'
    """
    if not has_lists and name in (ACCESS, DEFAULT):
        raise OSError(errno.EOPNOTSUPP, name)
    if name.startswith(private):
        return f"{private}overlay.{name.removeprefix(private)}"
    return name


def shown(names: list[str], private: str, *, has_lists: bool = False) -> Iterator[str]:
    """Give the names that a program sees.

    >>> list(shown(["user.a", "trusted.overlay.origin", "trusted.overlay.overlay.opaque"],
    ...            "trusted.overlay."))
    ['user.a', 'trusted.overlay.opaque']
    """
    escaped = f"{private}overlay."
    for name in names:
        if name.startswith(escaped):
            yield private + name.removeprefix(escaped)
        elif not name.startswith(private) and (has_lists or name not in (ACCESS, DEFAULT)):
            yield name

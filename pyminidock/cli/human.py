"""Amounts as Docker tells them to people: how long ago, how many bytes.

Source: docker/go-units, duration.go and size.go.
"""

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def ago(seconds: float) -> str:
    """Say how long that is: rounded, in the largest unit of which there are two.

    >>> ago(0.3), ago(59), ago(119), ago(3 * 86400), ago(20 * 86400)
    ('Less than a second', '59 seconds', 'About a minute', '3 days', '2 weeks')
    """
    minutes, hours = int(seconds // 60), int(seconds / 3600 + 0.5)
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return f"{int(seconds)} second" + ("s" if seconds >= 2 else "")
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for unit, length, most in (("days", 24, 14), ("weeks", 168, 60), ("months", 720, 730)):
        if hours < 24 * most:
            return f"{hours // length} {unit}"
    return f"{int(seconds // 3600) // 24 // 365} years"


def size(size_bytes: float, *, digits: int = 3) -> str:
    """Say how many bytes that are, in thousands, in so many digits.

    >>> size(0), size(999), size(2026559), size(123456789)
    ('0B', '999B', '2.03MB', '123MB')
    """
    return _scaled(size_bytes, 1000, digits, _UNITS)


def binary_size(size_bytes: float) -> str:
    """Say how many bytes that are, in steps of 1024, as memory is told.

    >>> binary_size(376832), binary_size(0), binary_size(4 << 30)
    ('368KiB', '0B', '4GiB')
    """
    return _scaled(size_bytes, 1024, 4, _BINARY)


def _scaled(value: float, base: int, digits: int, units: tuple[str, ...]) -> str:
    value, unit = float(value), 0
    while value >= base and unit < len(units) - 1:
        value, unit = value / base, unit + 1
    return f"{value:.{digits}g}{units[unit]}"

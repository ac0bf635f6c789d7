"""How far colours are apart, for eyes of four kinds: the arithmetic behind the palette.

Contrast is WCAG's; distance is CIE 1976; the three kinds of eyes that see fewer colours are
simulated with the matrices of Machado, Oliveira and Fernandes (2009) at full severity.
"""

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

_SAME: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
EYES: dict[str, Matrix] = {
    "all colours": _SAME,
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_TO_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE: Triple = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> Triple:
    """Give the light of #rrggbb."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def times(matrix: Matrix, vector: Triple) -> Triple:
    """Multiply a matrix and a vector."""
    first, second, third = (
        sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix
    )
    return first, second, third


def contrast(one: str, other: str) -> float:
    """Give WCAG's contrast of two colours, from 1 to 21."""
    dark, bright = sorted(times(_TO_XYZ, linear(each))[1] for each in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def lab(colour: str, eyes: Matrix = _SAME) -> Triple:
    """Give the place of a colour in CIE L*a*b*, as these eyes see it."""
    red, green, blue = (min(max(v, 0), 1) for v in times(eyes, linear(colour)))
    x, y, z = (
        _root(value / white)
        for value, white in zip(times(_TO_XYZ, (red, green, blue)), _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def distance(one: str, other: str, eyes: Matrix = _SAME) -> float:
    """Give how far two colours are apart for these eyes; above 2.3 it can be seen."""
    pairs = zip(lab(one, eyes), lab(other, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)

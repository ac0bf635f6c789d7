"""The one shape of a refusal: what happened, why that is a rule, what to try next."""


class MinidockError(Exception):
    """An error a student can learn from; rooms subclass it beside their code."""

    status = 500  # HTTP status; only api/ reads it

    def __init__(self, what: str, *, why: str, try_next: str, lesson: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.try_next, self.lesson = what, why, try_next, lesson

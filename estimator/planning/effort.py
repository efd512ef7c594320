"""Effort: how much of a space was simulated to find the cheapest of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of a space was simulated.

    Parameters
    ----------
    candidates : int
        Candidates. [candidates]
    courses : int
        Different courses among them: what differs in prices or in memory alone has the same one. [1]
    whole : int
        Courses that were followed to their end. [1]
    given_up : int
        Courses that were followed until a limit was broken, or the bill was larger than another's. [1]
    steps : int
        Steps that were run. [1]
    all_steps : int
        Steps that all courses have. [1]
    """

    candidates: int = 0
    courses: int = 0
    whole: int = 0
    given_up: int = 0
    steps: int = 0
    all_steps: int = 0

    @property
    def share(self) -> float:
        """Part of all steps that was run. [1]"""
        return self.steps / self.all_steps if self.all_steps else 0.0

    def __add__(self, other: Effort) -> Effort:
        names = self.__dataclass_fields__
        return Effort(*(getattr(self, name) + getattr(other, name) for name in names))

    def __str__(self) -> str:
        return (
            f"{self.candidates:,} candidates with {self.courses:,} courses: {self.whole:,} simulated, {self.given_up:,} given up on the way, "
            f"{100 * self.share:.1f} % of all steps"
        )

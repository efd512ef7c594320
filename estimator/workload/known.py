"""KnownLoad: a load of many steps whose sum is reckoned once, by whatever it is multiplied."""

from __future__ import annotations

from functools import cached_property

from estimator.checks import require_number
from estimator.fingerprints import fingerprint_of
from estimator.workload.profile import MAX_REQUESTS_PER_S, LoadProfile


class KnownLoad(LoadProfile):
    """The same load, which knows its requests and its fingerprint when it is multiplied.

    A year of minutes takes some 20 ms to add up exactly, and more for its fingerprint. A thousand draws of a load are the same load times a
    thousand factors, so that one of each is enough.

    Parameters
    ----------
    load : LoadProfile
        The load.

    Examples
    --------
    >>> KnownLoad(LoadProfile([1.0, 3.0], step_s=1800)).scaled(2.0).requests
    14400.0
    """

    # Set where the load was multiplied.
    _made_of: str = ""

    def __init__(self, load: LoadProfile) -> None:
        # Nothing changes a profile, so its checked and locked series is taken over and not copied.
        for name in LoadProfile.__dataclass_fields__:
            object.__setattr__(self, name, getattr(load, name))

    def fingerprint(self) -> str:
        """Return SHA-256 over the series, its step and its start, or over those of the load that was multiplied and the factor.

        Returns
        -------
        str
            64 hexadecimal digits, equal in every process.
        """
        return self._made_of or super().fingerprint()

    def scaled(self, factor: float) -> KnownLoad:
        """Multiply the load and keep its shape.

        Parameters
        ----------
        factor : float
            What every rate is multiplied with. [1]

        Returns
        -------
        KnownLoad
            The scaled load, whose requests are this one's times the factor.
        """
        require_number("scale", factor, 0, MAX_REQUESTS_PER_S)
        require_number("requests_per_s at the peak", self._peak * factor, 0, MAX_REQUESTS_PER_S)
        found = KnownLoad(self)
        series = self.requests_per_s * factor
        series.setflags(write=False)
        object.__setattr__(found, "requests_per_s", series)
        # Where a cached property would keep it.
        found.__dict__["requests"] = self.requests * factor
        object.__setattr__(found, "_made_of", fingerprint_of([self.fingerprint(), factor]))
        return found

    @cached_property
    def _peak(self) -> float:
        return self.peak_requests_per_s

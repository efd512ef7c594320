"""Where prices are asked for: four addresses, each an option and an environment variable."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from estimator.errors import InvalidScenario


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of AWS's price sources; a mirror may stand in for each.

    Parameters
    ----------
    price_list_url : str
        Host of the bulk files; ``ESTIMATOR_PRICE_LIST_URL``.
    query_api_url : str
        Price List Query API; empty for AWS's own. ``ESTIMATOR_QUERY_API_URL``.
    savings_plans_url : str
        Host of the Savings Plan files; ``ESTIMATOR_SAVINGS_PLANS_URL``.
    spot_feed_url : str
        The Fargate Spot feed, the whole address; ``ESTIMATOR_SPOT_FEED_URL``.
    """

    price_list_url: str = "https://pricing.us-east-1.amazonaws.com"
    query_api_url: str = ""
    savings_plans_url: str = "https://pricing.us-east-1.amazonaws.com"
    spot_feed_url: str = "https://dftu77xade0tc.cloudfront.net/fargate-spot-prices.json"

    def __post_init__(self) -> None:
        for field in fields(self):
            # Messages and kept extracts name addresses: nothing secret may stand in one.
            if "@" in getattr(self, field.name).partition("://")[2].partition("/")[0]:
                raise InvalidScenario(
                    f"{field.name} has a user name or password in it, which would be kept and printed. Leave it out; a proxy can add it."
                )

    @classmethod
    def from_environment(cls, **chosen: str | None) -> Endpoints:
        """Take what was chosen, else the environment, else AWS.

        Parameters
        ----------
        **chosen : str or None
            Addresses by field name; None or empty for those not chosen.

        Returns
        -------
        Endpoints
            The addresses.

        Raises
        ------
        InvalidScenario
            If an address has a user name or password in it.
        """
        values = {}
        for field in fields(cls):
            value = chosen.get(field.name) or os.environ.get(f"ESTIMATOR_{field.name.upper()}")
            if value:
                values[field.name] = value
        return cls(**values)

"""Application: what is deployed whatever its size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario
from estimator.service.task_size import LINUX, WINDOWS, require_operating_system

#: In the names of ECR's registries that have IPv6 addresses too; AWS, "Making requests to Amazon ECR registries", read 2026.
DUAL_STACK_ECR = ".dkr-ecr."
#: AWS, "PutRetentionPolicy", read 2026. [d]
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


@dataclass(frozen=True)
class Application:
    """The container and what is known of it before any sizing.

    Parameters
    ----------
    image : str, optional
        Container image; without one the exported stack asks for it as a parameter.
    image_mb : int
        Compressed size above a small image (some 10 MB); `aws ecr describe-images` shows it. [MB]
    operating_system : str
        ``LINUX`` or ``WINDOWS``; Fargate has Windows with 1, 2 and 4 vCPU on X86_64, without Spot, and bills its license.
    container_port : int
        Port that the application listens on. [1]
    health_check_path : str
        Path that answers with a status of 200 to 399 when the task can serve.
    health_check_interval_s : int
        Seconds between two health checks. [s]
    boot_s : int
        From the container's start until it can answer. [s]
    deregistration_delay_s : int
        How long the load balancer drains a task that leaves; billed. [s]
    stop_timeout_s : int
        How long the application takes to stop after SIGTERM; billed, at most 120. [s]
    queue_per_task : float
        Requests that may wait for each healthy task where the load is over capacity; 0 refuses them. [requests]
    queue_timeout_s : float
        Longest time that a request waits before it is refused. [s]
    log_retention_days : int
        How long logs are kept. [d]
    ephemeral_storage_gib : int
        Ephemeral storage of a task; 20 are included, 21 to 200 can be asked for. [GiB]
    environment : dict of str to str
        Environment variables.
    secrets : dict of str to str
        Environment variables from Secrets Manager: name to ARN.
    certificate_arn : str, optional
        ACM certificate; with it the listener is HTTPS and port 80 redirects.
    """

    image: str | None = None
    image_mb: int = field(default=0, metadata={"low": 0, "high": 100_000, "whole": True})
    operating_system: str = LINUX
    container_port: int = field(default=8080, metadata={"low": 1, "high": 65_535, "whole": True})
    health_check_path: str = "/"
    health_check_interval_s: int = field(default=30, metadata={"low": 5, "high": 300, "whole": True})
    boot_s: int = field(default=5, metadata={"low": 0, "high": 3600, "whole": True})
    deregistration_delay_s: int = field(default=60, metadata={"low": 0, "high": 3600, "whole": True})
    stop_timeout_s: int = field(default=30, metadata={"low": 2, "high": 120, "whole": True})
    queue_per_task: float = field(default=0.0, metadata={"low": 0, "high": 1_000_000})
    queue_timeout_s: float = field(default=0.0, metadata={"low": 0, "high": 3600})
    log_retention_days: int = 30
    ephemeral_storage_gib: int = field(default=20, metadata={"low": 20, "high": 200, "whole": True})
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    certificate_arn: str | None = None

    def __post_init__(self) -> None:
        require_in_range(self)
        require_operating_system(self.operating_system)
        if not re.fullmatch(r"/[!-~]{0,1023}", self.health_check_path):
            raise InvalidScenario(
                f"health_check_path is {shown(self.health_check_path)}; it must begin with / and have no spaces."
            )
        if self.image is not None and not re.fullmatch(r"\S+", self.image):
            raise InvalidScenario(
                f"image is {shown(self.image)}; it must be an image such as nginx:1.29, without spaces, or null."
            )
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            allowed = ", ".join(map(str, LOG_RETENTION_DAYS))
            raise InvalidScenario(f"log_retention_days is {self.log_retention_days}; CloudWatch Logs has {allowed}.")
        both = sorted(set(self.environment) & set(self.secrets))
        if both:
            raise InvalidScenario(
                f"{both[0]} stands in both environment and secrets; a variable can have one value. Remove one."
            )

    @property
    def is_windows(self) -> bool:
        """True if tasks run Windows."""
        return self.operating_system == WINDOWS

    def image_is_in_ecr(self, region: str) -> bool:
        """Say whether the image comes from ECR in a region, whose layers come through the free S3 gateway endpoint.

        Parameters
        ----------
        region : str
            Region code; without one every ECR image is taken to be in the region.

        Returns
        -------
        bool
            True also where no image is given: the stack's README tells to push it there.
        """
        if self.image is None or not region:
            return self.image is None or ".dkr.ecr." in self.image or DUAL_STACK_ECR in self.image
        registry = f".dkr.ecr.{region}.amazonaws.com"
        names = (f"{registry}/", f"{registry}.cn/", f"{DUAL_STACK_ECR}{region}.on.aws/")
        return any(name in self.image for name in names)

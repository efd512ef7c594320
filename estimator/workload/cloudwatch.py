"""Load and facts about requests from CloudWatch: the metrics that an Application Load Balancer publishes.

Notes
-----
A load balancer publishes a metric only while requests flow, so a minute without RequestCount is a minute without requests and is
read as 0, with a note of how many; a range without any is refused, as it is far likelier a wrong name or region. CloudWatch
keeps one-minute figures for 15 days, five-minute for 63 and hourly for 455: the finest that exists for the whole range
is read, and a note says so if it is coarser than asked.

ActiveConnectionCount is published once a minute; its Sum over a longer period adds up minutes, so it is divided by them.

One call asks for at most 100,800 datapoints, and its pages are followed. Retries are boto3's standard mode. Messages never
repeat what AWS or boto3 said: it may hold an account number or a key id. Its error code stands there instead.

References
----------
.. [1] AWS, "CloudWatch metrics for your Application Load Balancer",
   https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
.. [2] AWS, "GetMetricData", https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from estimator.aws_refusals import BAD_CREDENTIALS, DENIED, THROTTLED
from estimator.checks import require_number, shown
from estimator.errors import EstimatorError, InvalidScenario, MetricsUnavailable
from estimator.units import BYTES_PER_KB, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.measured import Measured
from estimator.workload.profile import LoadProfile
from estimator.workload.rows import Array

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

NAMESPACE = "AWS/ApplicationELB"
#: What is read, always as Sum.
METRICS = ("RequestCount", "NewConnectionCount", "ActiveConnectionCount", "ProcessedBytes", "RuleEvaluations")
#: How long CloudWatch keeps datapoints of a period. [s, days]
KEPT_DAYS = ((60, 15), (300, 63), (3600, 455))
#: Datapoints that one GetMetricData call may return, of all its queries together.
MAX_DATAPOINTS = 100_800
#: Requests for one page before giving up.
MAX_ATTEMPTS = 8
#: Metrics of a minute come some minutes later.
_LATE = dt.timedelta(minutes=10)

_LOAD_BALANCER = re.compile(
    r"(?:arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):[0-9]{12}:loadbalancer/)?(?P<name>app/[A-Za-z0-9-]{1,32}/[0-9a-f]+)"
)


def load_from_cloudwatch(
    load_balancer: str,
    start: dt.datetime,
    end: dt.datetime,
    period_s: int = SECONDS_PER_MINUTE,
    *,
    region: str | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> tuple[LoadProfile, Measured]:
    """Read an Application Load Balancer's load from CloudWatch.

    Needs credentials that allow ``cloudwatch:GetMetricData``. CloudWatch charges for it, $0.01 for 1,000 metrics asked for;
    one call asks for five.

    Parameters
    ----------
    load_balancer : str
        Its ARN, or the end of it: ``app/name/id``.
    start, end : datetime
        The range, whole hours with a time zone; the end is not in it.
    period_s : int
        Step to ask for, whole minutes that divide an hour; another if CloudWatch no longer has it. [s]
    region : str, optional
        AWS region; by default that of the ARN, else the configured one.
    max_attempts : int
        Requests for one page before giving up. [1]

    Returns
    -------
    load : LoadProfile
        Requests per second with the start; its notes say what was taken as 0 and if the period is coarser.
    measured : Measured
        Bytes, connections and rules of a request.

    Raises
    ------
    InvalidScenario
        If the name or the range is not one.
    MetricsUnavailable
        If AWS refuses or cannot be reached, or there was no request in the whole range.
    """
    found = _LOAD_BALANCER.fullmatch(load_balancer) if isinstance(load_balancer, str) else None
    if found is None:
        raise InvalidScenario(
            f"load_balancer is {shown(load_balancer)}; it must be an Application Load Balancer's ARN or the end of it, such as "
            "app/my-load-balancer/50dc6c495c0c9188. `aws elbv2 describe-load-balancers` lists them."
        )
    begin, until = _range(start, end)
    now = _now()
    if until > now:
        raise InvalidScenario(f"end is {until.isoformat()}, which is still to come. End at a full hour that is over.")
    step_s = period_for(begin, period_s, now)
    client = _client(region or found["region"], max_attempts)
    place = f"CloudWatch in {client.meta.region_name}"
    try:
        series = _read(client, found["name"], begin, until, step_s)
    except Exception as error:
        _failed(error, place)
    if not series["RequestCount"].any():
        raise MetricsUnavailable(
            f"{place} has no request of {found['name']} from {begin.isoformat()} to {until.isoformat()}. {_others(client, found['name'])}"
        )
    load, measured = _loaded(found["name"], begin, series, step_s, period_s)
    if now - until < _LATE:
        late = f"The range ended {(now - until).seconds // 60} minutes ago; its last minutes may not be whole yet."
        load = LoadProfile(load.requests_per_s, load.step_s, load.name, load.start, (*load.notes, late))
    return load, measured


def period_for(start: dt.datetime, period_s: int, now: dt.datetime) -> int:
    """Choose the finest period that CloudWatch still keeps for a range.

    Parameters
    ----------
    start : datetime
        Beginning of the range.
    period_s : int
        The period asked for. [s]
    now : datetime
        The present.

    Returns
    -------
    int
        The period asked for, if it can be made of what is kept; else the finest that is kept. [s]

    Raises
    ------
    InvalidScenario
        If the period is not one, or the range begins before all that CloudWatch keeps.

    Examples
    --------
    >>> now = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
    >>> [period_for(dt.datetime(*day, tzinfo=dt.UTC), 60, now) for day in ((2026, 3, 30), (2026, 3, 1), (2025, 6, 1))]
    [60, 300, 3600]
    """
    require_number("period_s", period_s, SECONDS_PER_MINUTE, SECONDS_PER_HOUR, whole=True)
    if period_s % SECONDS_PER_MINUTE or SECONDS_PER_HOUR % period_s:
        raise InvalidScenario(
            f"period_s is {period_s}; it must be whole minutes that divide an hour, such as 60, 300 or 3600."
        )
    age = now - start
    kept = next((kept_s for kept_s, days in KEPT_DAYS if age < dt.timedelta(days=days)), None)
    if kept is None:
        raise InvalidScenario(
            f"start is {start.isoformat()}, {age.days} days ago; CloudWatch keeps {KEPT_DAYS[-1][1]} days. Begin later."
        )
    return kept if period_s % kept else int(period_s)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _range(start: dt.datetime, end: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    for name, moment in (("start", start), ("end", end)):
        if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
            raise InvalidScenario(
                f"{name} is {shown(str(moment))}; it must be a moment with a time zone, as in datetime(2026, 3, 1, tzinfo=UTC)."
            )
        if moment.timestamp() % SECONDS_PER_HOUR:
            raise InvalidScenario(f"{name} is {moment.isoformat()}; it must be a full hour in UTC.")
    if end <= start:
        raise InvalidScenario(f"end is {end.isoformat()}; it must come after start, {start.isoformat()}.")
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def _client(region: str | None, max_attempts: int) -> Any:
    import boto3.session
    import botocore.exceptions as of_boto
    from botocore.config import Config

    settings = Config(
        retries={"mode": "standard", "total_max_attempts": max_attempts}, connect_timeout=10, read_timeout=30
    )
    try:
        return boto3.session.Session().client("cloudwatch", region_name=region, config=settings)
    except (of_boto.NoRegionError, of_boto.InvalidRegionError):
        raise InvalidScenario(
            f"region is {shown(region)}; name the load balancer's region, such as eu-west-1, or give its ARN."
        ) from None
    except of_boto.BotoCoreError as error:
        _failed(error, "CloudWatch")


def _read(client: Any, name: str, begin: dt.datetime, until: dt.datetime, step_s: int) -> dict[str, Array]:
    """Read every metric on the grid; what CloudWatch does not have is 0."""
    first_s, n_steps = int(begin.timestamp()), int((until - begin).total_seconds()) // step_s
    series = {metric: np.zeros(n_steps) for metric in METRICS}
    queries = [
        {
            "Id": metric.lower(),
            "Label": metric,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": name}],
                },
                "Period": step_s,
                "Stat": "Sum",
            },
        }
        for metric in METRICS
    ]
    by_id = {metric.lower(): values for metric, values in series.items()}
    width = MAX_DATAPOINTS // len(METRICS)
    for at in range(0, n_steps, width):
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=begin + dt.timedelta(seconds=at * step_s),
            EndTime=begin + dt.timedelta(seconds=min(at + width, n_steps) * step_s),
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                if result.get("StatusCode") in ("Forbidden", "InternalError"):
                    raise MetricsUnavailable(
                        f"CloudWatch answered {result['StatusCode']} for {result.get('Label')} of {name}. Allow "
                        "`cloudwatch:GetMetricData`, or try again later."
                    )
                values = by_id[result["Id"]]
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    place = (int(moment.timestamp()) - first_s) // step_s
                    if 0 <= place < n_steps:
                        values[place] = value
    return series


def _loaded(
    name: str, begin: dt.datetime, series: dict[str, Array], step_s: int, asked_s: int
) -> tuple[LoadProfile, Measured]:
    counts = series["RequestCount"]
    requests, new = float(counts.sum()), float(series["NewConnectionCount"].sum())
    # Sums over a period add up minutes; a level is their mean.
    active = float(series["ActiveConnectionCount"].mean()) * SECONDS_PER_MINUTE / step_s
    processed, rules = float(series["ProcessedBytes"].sum()), float(series["RuleEvaluations"].sum())
    notes = []
    if step_s != asked_s:
        notes.append(
            f"CloudWatch no longer keeps {asked_s} s for a range that begins at {begin.isoformat()}; it is read by {step_s} s."
        )
    quiet = int((counts == 0).sum())
    if quiet:
        notes.append(
            f"{quiet} of {counts.size} periods of {step_s} s have no RequestCount and are taken as 0: a load balancer publishes none "
            "without requests."
        )
    about = ["NewConnectionCount and ActiveConnectionCount count connections to clients and to targets alike."]
    if not new:
        about.append("There is no NewConnectionCount in the range, so connections are unknown.")
    measured = Measured(
        requests=requests,
        processed_kb=processed / requests / BYTES_PER_KB if processed else None,
        requests_per_connection=requests / new if new else None,
        connection_s=active / (new / (counts.size * step_s)) if new else None,
        # Nothing is published where only the default rule was there to match.
        rules_evaluated_per_request=rules / requests,
        notes=tuple(about),
    )
    return LoadProfile(counts / step_s, step_s, name.split("/")[1], begin, tuple(notes)), measured


def _others(client: Any, name: str) -> str:
    """Say which load balancers there are instead; without the permission to list them, what to check."""
    advice = "Check its name, the region and the range."
    try:
        pages = client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, MetricName="RequestCount")
        seen = {
            dimension["Value"]
            for page in pages
            for metric in page["Metrics"]
            for dimension in metric["Dimensions"]
            if dimension["Name"] == "LoadBalancer"
        }
    except Exception:
        return advice
    if name in seen:
        return "It had some at another time; check the range."
    listed = ", ".join(sorted(seen)[:5])
    return f"Of the last two weeks it knows {listed}{', ...' if len(seen) > 5 else ''}. {advice}" if seen else advice


def _failed(error: Exception, place: str) -> NoReturn:
    import botocore.exceptions as of_boto

    no_credentials = (
        of_boto.NoCredentialsError,
        of_boto.PartialCredentialsError,
        of_boto.CredentialRetrievalError,
        of_boto.TokenRetrievalError,
        of_boto.NoAuthTokenError,
        of_boto.SSOError,
        of_boto.LoginError,
    )
    kind = type(error).__name__
    if isinstance(error, EstimatorError):
        raise error
    if isinstance(error, of_boto.ClientError):
        message = _refused(error, place)
    elif isinstance(error, of_boto.ProfileNotFound):
        message = (
            "The AWS profile that AWS_PROFILE names does not exist. Correct AWS_PROFILE or `aws configure` the profile."
        )
    elif isinstance(error, no_credentials):
        message = (
            f"{place} needs AWS credentials, and boto3 found none that it can use ({kind}). Set them up, for example with "
            "`aws configure` or `aws sso login`; they need the permission `cloudwatch:GetMetricData`."
        )
    elif isinstance(error, of_boto.ConnectionError | of_boto.HTTPClientError):
        message = f"{place} cannot be reached ({kind}). Check the region, the network and the proxy, then try again."
    elif isinstance(error, of_boto.BotoCoreError):
        message = f"boto3 could not ask {place} ({kind}). Check the AWS configuration."
    else:
        raise error
    raise MetricsUnavailable(message) from None


def _refused(error: ClientError, place: str) -> str:
    code = str(error.response.get("Error", {}).get("Code", "unknown error"))
    about: Any = error.response.get("ResponseMetadata", {})
    status, attempts = about.get("HTTPStatusCode", 0), about.get("RetryAttempts", 0) + 1
    if code in BAD_CREDENTIALS:
        return f"AWS does not accept the credentials that boto3 found ({code}). Renew them, for example with `aws sso login`."
    if code in DENIED:
        return (
            f"The AWS credentials may not read metrics ({code}). Allow them the permission `cloudwatch:GetMetricData`."
        )
    if code in THROTTLED or status == 429:
        return f"{place} still throttled after {attempts} attempts ({code}). Try again in some minutes, or ask for a shorter range."
    if status >= 500:
        return f"{place} failed with status {status} after {attempts} attempts ({code}). Try again later."
    return f"{place} refused the question ({code}, status {status}). Check the load balancer's name and the range."

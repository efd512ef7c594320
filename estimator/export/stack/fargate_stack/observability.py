"""What watches the service: alarms and who is told, a dashboard, and a budget."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import hashlib

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from .config import StackConfig
from .log_storage import acknowledge
from .observability_config import (
    ABOVE,
    AT_LEAST,
    BELOW,
    LOAD_BALANCER,
    MISSING,
    NOT_BREACHING,
    SERVICE,
    TARGETS,
    AlarmConfig,
    alarms_of,
    check_observability,
    high_resolution_alarm,
)

# The tag by which the bill is split: the budget counts what has it.
SERVICE_TAG = "estimator:service"

# A service publishes the metrics that the policies of high resolution track three times a minute. Of the periods that
# the CDK and cfn-lint know, this is the shortest in which there is always a datapoint. [1, s]
HIGH_RESOLUTION_SAMPLES = 3
HIGH_RESOLUTION_PERIOD_S = 30

_COMPARISONS = {
    ABOVE: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    AT_LEAST: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    BELOW: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
}
_MISSING = {
    NOT_BREACHING: cloudwatch.TreatMissingData.NOT_BREACHING,
    MISSING: cloudwatch.TreatMissingData.MISSING,
}

# A budget's name has at most 100 characters; the stack's own may have more.
_LONGEST_NAME = 80

# What Checkov finds and is meant, with the reason.
_WITHOUT_KEY = {"CKV_AWS_26": "A message names an alarm and its numbers, and goes out by e-mail; no key is planned."}

_WIDTH = 12


class Observability(Construct):
    """Alarms, as many as are planned, whom they tell, one dashboard, and a budget.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        What is watched, and who is told.
    load_balancer : aws_cdk.aws_elasticloadbalancingv2.IApplicationLoadBalancer
        The load balancer.
    target_group : aws_cdk.aws_elasticloadbalancingv2.IApplicationTargetGroup
        Its target group, or the first of two.
    two_target_groups : bool
        Whether the tasks move between two target groups. The targets are watched through the load balancer then.
    cluster_name : str
        Name of the cluster.
    service_name : str or None
        Name of the service, if it is known before the service.
    key : aws_cdk.aws_kms.Key or None
        Key for the messages of alarms; None for none.

    Attributes
    ----------
    rollback_alarms : list[aws_cdk.aws_cloudwatch.Alarm]
        The alarms that undo a deployment.

    Raises
    ------
    ConfigError
        If there are more alarms planned than there is something to watch for.

    Notes
    -----
    It is made before the service, whose deployments look at its alarms. Those on the service itself, and the dashboard,
    follow with `watch_service`.

    The metrics of a load balancer that others share tell nothing about one service. With two target groups they are all
    there is, and no deployment is undone for them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        load_balancer: elbv2.IApplicationLoadBalancer,
        target_group: elbv2.IApplicationTargetGroup,
        two_target_groups: bool,
        cluster_name: str,
        service_name: str | None = None,
        key: kms.Key | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        check_observability(config)
        self._config = config
        self._settings = config.observability
        self._two_target_groups = two_target_groups
        self._cluster_name, self._service_name = cluster_name, service_name
        existing = config.load_balancer.existing
        of_load_balancer = {
            "LoadBalancer": existing.arn.partition(":loadbalancer/")[2]
            if existing
            else load_balancer.load_balancer_full_name
        }
        of_target_group = {} if two_target_groups else {"TargetGroup": target_group.target_group_full_name}
        # Where each metric is published, and under which dimensions.
        self._published = {
            LOAD_BALANCER: ("AWS/ApplicationELB", of_load_balancer),
            TARGETS: ("AWS/ApplicationELB", of_load_balancer | of_target_group),
        }
        self._topic = self._make_topic(key)
        alarms = alarms_of(config)[: self._settings.standard_alarms]
        self._service_alarms = [alarm for alarm in alarms if alarm.of == SERVICE]
        made = [(alarm, self._make_alarm(alarm)) for alarm in alarms if alarm.of != SERVICE]
        shared = two_target_groups and existing is not None
        self.rollback_alarms: list[cloudwatch.Alarm] = [one for alarm, one in made if alarm.rolls_back and not shared]
        if self._settings.budget_usd_per_month is not None:
            self._make_budget(self._settings.budget_usd_per_month)

    def watch_service(self, service: ecs.FargateService) -> None:
        """Add the alarms on the service's own metrics, and the dashboard.

        Parameters
        ----------
        service : aws_cdk.aws_ecs.FargateService
            The service.
        """
        name = self._service_name or service.service_name
        self._published[SERVICE] = ("AWS/ECS", {"ClusterName": self._cluster_name, "ServiceName": name})
        for alarm in self._service_alarms:
            self._make_alarm(alarm)
        for metric_name in self._config.high_resolution_metrics[: self._settings.high_resolution_alarms]:
            self._make_alarm(high_resolution_alarm(metric_name), HIGH_RESOLUTION_PERIOD_S)
        if self._settings.dashboards:
            self._make_dashboard()

    def _make_topic(self, key: kms.Key | None) -> sns.Topic | None:
        """Make the topic that alarms publish to [1]_.

        References
        ----------
        .. [1] AWS, "Example cases for Amazon SNS access control", read 2026,
           https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
        """
        settings = self._settings
        if settings.alarm_email is None or not settings.standard_alarms + settings.high_resolution_alarms:
            return None
        stack = cdk.Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        of_this_account = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": alarms},
        }
        topic = sns.Topic(self, "Alarms", enforce_ssl=True, master_key=key)
        # With a policy of its own the topic has lost the one that AWS gives it, by which the account may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=of_this_account,
            )
        )
        if key is not None:
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="AlarmsOfThisAccount",
                    principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    resources=["*"],
                    conditions=of_this_account,
                )
            )
        else:
            acknowledge(topic, _WITHOUT_KEY)
        topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        return topic

    def _metric(
        self, of: str, name: str, statistic: str, period_s: int = 60, label: str | None = None
    ) -> cloudwatch.Metric:
        namespace, dimensions = self._published[of]
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=cdk.Duration.seconds(period_s),
            label=label,
        )

    def _make_alarm(self, alarm: AlarmConfig, period_s: int = 60) -> cloudwatch.Alarm:
        made = cloudwatch.Alarm(
            self,
            alarm.name,
            metric=self._metric(alarm.of, alarm.metric_name, alarm.statistic, period_s),
            threshold=alarm.threshold,
            comparison_operator=_COMPARISONS[alarm.comparison_operator],
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            treat_missing_data=_MISSING[alarm.treat_missing_data],
            alarm_description=alarm.description,
        )
        if self._topic is not None:
            made.add_alarm_action(cloudwatch_actions.SnsAction(self._topic))
            made.add_ok_action(cloudwatch_actions.SnsAction(self._topic))
        return made

    def _make_budget(self, usd_per_month: float) -> None:
        """Make a monthly budget for what has the stack's tag, by list prices as in the estimate [1]_.

        Notes
        -----
        Names are unique in an account, over all regions and stacks, and another reader makes another budget before the old
        one is deleted: the id of the stack and a digest of the reader are in the name.

        The tag counts from the day on which it is activated as a cost allocation tag.

        References
        ----------
        .. [1] AWS, "Budget filters", read 2026: the value of ``TagKeyValue`` is ``user:``, key, ``$``, value,
           https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html
        """
        of = budgets.CfnBudget
        email = self._settings.alarm_email
        stack_id = cdk.Fn.select(0, cdk.Fn.split("-", cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))))
        reader = hashlib.sha256((email or "").encode()).hexdigest()[:6]
        notices = [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
        of(
            self,
            "Budget",
            budget=of.BudgetDataProperty(
                budget_name=f"{self._config.name[:_LONGEST_NAME]}-{stack_id}-{reader}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=of.SpendProperty(amount=usd_per_month, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{SERVICE_TAG}${self._config.name}"]},
                # The estimate knows none of them.
                cost_types=of.CostTypesProperty(include_credit=False, include_refund=False, include_tax=False),
            ),
            notifications_with_subscribers=None
            if email is None
            else [
                of.NotificationWithSubscribersProperty(
                    notification=of.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[of.SubscriberProperty(subscription_type="EMAIL", address=email)],
                )
                for kind, percent in notices
            ],
        )

    def _make_dashboard(self) -> None:
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=cdk.Duration.days(1),
            widgets=[
                [self._load_and_tasks(), self._latency()],
                [self._errors(), self._utilization()],
                [self._capacity_units()],
            ],
        )

    def _load_and_tasks(self) -> cloudwatch.GraphWidget:
        requests = self._metric(TARGETS, "RequestCount", "Sum")
        return _graph(
            "Load and tasks",
            "requests/s",
            [_expression("requests / PERIOD(requests)", {"requests": requests}, "Requests")],
            right_unit="tasks",
            right=[self._tasks()],
        )

    def _tasks(self) -> cloudwatch.IMetric:
        if not self._two_target_groups:
            return self._metric(TARGETS, "HealthyHostCount", "Maximum", label="Healthy tasks")
        # No metric counts the hosts of both groups. Each task is a sample of its service's CPU, once a minute or three times.
        samples = HIGH_RESOLUTION_SAMPLES if "CPUUtilization" in self._config.high_resolution_metrics else 1
        tasks = self._metric(SERVICE, "CPUUtilization", "SampleCount")
        return _expression(f"tasks / {samples}", {"tasks": tasks}, "Running tasks")

    def _latency(self) -> cloudwatch.GraphWidget:
        promise = self._settings.p95_latency_ms
        return _graph(
            "Response time" if promise is None else "Response time and what is promised for p95",
            "ms",
            [
                _expression(
                    f"{statistic} * 1000",
                    {statistic: self._metric(TARGETS, "TargetResponseTime", statistic)},
                    statistic,
                )
                for statistic in ("p50", "p95", "p99")
            ],
            limit=promise,
            limit_label="Promise for p95",
        )

    def _errors(self) -> cloudwatch.GraphWidget:
        names = {
            "Tasks": (TARGETS, "HTTPCode_Target_5XX_Count"),
            "Load balancer": (LOAD_BALANCER, "HTTPCode_ELB_5XX_Count"),
        }
        return _graph(
            "Answers of 5xx",
            "answers/min",
            [self._metric(of, name, "Sum", label=label) for label, (of, name) in names.items()],
        )

    def _utilization(self) -> cloudwatch.GraphWidget:
        names = {"CPU": "CPUUtilization", "Memory": "MemoryUtilization"}
        return _graph(
            "CPU and memory of the tasks",
            "%",
            [self._metric(SERVICE, name, "Average", label=label) for label, name in names.items()],
        )

    def _capacity_units(self) -> cloudwatch.GraphWidget:
        # An hour's units are published by the minute, in parts that add up.
        consumed = self._metric(LOAD_BALANCER, "ConsumedLCUs", "Sum", 3600, "Consumed")
        return _graph(
            "Load balancer capacity units",
            "LCU",
            [consumed],
            limit=self._config.load_balancer.reserved_lcu or None,
            limit_label="Reserved",
        )


def _expression(expression: str, metrics: dict[str, cloudwatch.Metric], label: str) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=metrics, label=label, period=cdk.Duration.minutes(1)
    )


def _graph(
    title: str,
    unit: str,
    left: list[cloudwatch.IMetric],
    *,
    right: list[cloudwatch.IMetric] | None = None,
    right_unit: str = "",
    limit: float | None = None,
    limit_label: str = "",
) -> cloudwatch.GraphWidget:
    annotations = [] if limit is None else [cloudwatch.HorizontalAnnotation(value=limit, label=limit_label)]
    return cloudwatch.GraphWidget(
        title=title,
        width=_WIDTH,
        left=left,
        left_y_axis=cloudwatch.YAxisProps(label=unit, min=0, show_units=False),
        left_annotations=annotations,
        right=right or [],
        right_y_axis=cloudwatch.YAxisProps(label=right_unit, min=0, show_units=False) if right else None,
    )

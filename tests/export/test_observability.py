"""What watches an exported stack: alarms and who is told, dashboard, budget, and where logs are kept."""

import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.export.synthesis import PLAIN, STACK, Synthesized, document

TWENTY_SECONDS = {
    "predefined_metric_type": "ECSServiceAverageCPUUtilizationHighResolution",
}
BLUE_GREEN = {"deployment": {"strategy": "BLUE_GREEN"}}
WATCHED = {
    "standard_alarms": 10,
    "high_resolution_alarms": 1,
    "dashboards": 1,
    "p95_latency_ms": 275.0,
    "alarm_email": "ops@example.com",
    "budget_usd_per_month": 321.5,
}
FLOW_LOGS = {"destination": "cloud-watch-logs", "log_class": "INFREQUENT_ACCESS", "retention_days": 7}

# AWS, "CloudWatch metrics for your Application Load Balancer", read 2026: "Reporting criteria: There is a nonzero value".
ONLY_WHERE_NOT_ZERO = {
    "HTTPCode_Target_5XX_Count",
    "HTTPCode_ELB_5XX_Count",
    "RejectedConnectionCount",
    "TargetConnectionErrorCount",
    "TargetResponseTime",
}

Build = Callable[[dict[str, Any]], Synthesized]


@pytest.fixture(scope="module")
def build(synthesize: Any, stack: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The constructs of ``observability.py`` and ``log_storage.py`` around a service of the test's own."""
    import aws_cdk as cdk
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_elasticloadbalancingv2 as elbv2

    observability = importlib.import_module("fargate_stack.observability")
    log_storage = importlib.import_module("fargate_stack.log_storage")

    context = json.loads((STACK / "cdk.json").read_text())["context"]

    def run(document: dict[str, Any]) -> Synthesized:
        config = stack.config.parse_config(document)
        outdir = tmp_path_factory.mktemp("cdk.out")
        app = cdk.App(context=context, outdir=str(outdir), analytics_reporting=False)
        made = cdk.Stack(
            app, "shop", env=cdk.Environment(region=config.region), synthesizer=cdk.BootstraplessSynthesizer()
        )
        zones = [cdk.Fn.select(zone, cdk.Fn.get_azs()) for zone in range(2)]
        public = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
        vpc = ec2.Vpc(made, "Vpc", availability_zones=zones, nat_gateways=0, subnet_configuration=[public])
        storage = log_storage.LogStorage(made, "Storage", config=config, vpc=vpc)
        # A flow log more would be a price more.
        storage.add_flow_log(vpc)
        load_balancer = elbv2.ApplicationLoadBalancer(made, "Alb", vpc=vpc)
        if config.load_balancer.access_logs:
            load_balancer.log_access_logs(storage.bucket)
        tasks = elbv2.ApplicationTargetGroup(made, "Tasks", vpc=vpc, target_type=elbv2.TargetType.IP, port=80)
        load_balancer.add_listener("Http", port=80, default_target_groups=[tasks])
        cluster = ecs.Cluster(made, "Cluster", vpc=vpc)
        watched = observability.Observability(
            made,
            "Observability",
            config=config,
            load_balancer=load_balancer,
            target_group=tasks,
            two_target_groups=config.service.deployment.has_two_target_groups,
            cluster_name=cluster.cluster_name,
            key=storage.key,
        )
        task = ecs.FargateTaskDefinition(made, "Task")
        image = ecs.ContainerImage.from_registry("nginx")
        task.add_container("web", image=image, port_mappings=[ecs.PortMapping(container_port=80)])
        names = [alarm.alarm_name for alarm in watched.rollback_alarms]
        service = ecs.FargateService(
            made,
            "Service",
            cluster=cluster,
            task_definition=task,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            deployment_alarms=ecs.DeploymentAlarmConfig(alarm_names=names) if names else None,
            min_healthy_percent=100,
        )
        tasks.add_target(service)
        watched.watch_service(service)
        app.synth()
        text = (outdir / "shop.template.json").read_text()
        return Synthesized(document, json.loads(text), text, outdir)

    return run


def watched(**changes: Any) -> dict[str, Any]:
    scaling = [PLAIN["scaling"][0] | TWENTY_SECONDS]
    return document(observability=WATCHED, scaling=scaling, **changes)


@pytest.fixture(scope="module")
def full(build: Build) -> Synthesized:
    return build(watched(network={"flow_logs": FLOW_LOGS}, security={"kms_keys": 1}))


@pytest.fixture(scope="module")
def blue_green(build: Build) -> Synthesized:
    few = {"standard_alarms": 7, "high_resolution_alarms": 0, "alarm_email": None}
    to_s3 = {"destination": "s3", "log_class": "STANDARD", "retention_days": 37}
    changes = watched(service=BLUE_GREEN, network={"flow_logs": to_s3}, load_balancer={"access_logs": True})
    changes["observability"] |= few
    return build(changes)


def metrics(result: Synthesized) -> dict[str, dict[str, Any]]:
    """The alarms by metric and statistic."""
    alarms = result.all("CloudWatch::Alarm")
    found = {f"{one['MetricName']} {one.get('Statistic', one.get('ExtendedStatistic'))}": one for one in alarms}
    # AWS bills an alarm by its metrics, and one of an expression by each metric in it.
    assert not any("Metrics" in alarm for alarm in alarms)
    return found


def dimensions(alarm: dict[str, Any]) -> set[str]:
    return {one["Name"] for one in alarm["Dimensions"]}


def dashboard(result: Synthesized) -> list[dict[str, Any]]:
    def text(value: Any) -> str:
        match value:
            case {"Fn::Join": [separator, parts]}:
                return str(separator.join(map(text, parts)))
            case str():
                return value
        return json.dumps(value).replace('"', "'")

    body = text(result.one("CloudWatch::Dashboard")["DashboardBody"])
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


@pytest.mark.slow
class TestTemplate:
    @pytest.mark.parametrize("name", ["full", "blue_green"])
    def test_cfn_lint_finds_no_error(self, name: str, request: pytest.FixtureRequest) -> None:
        from cfnlint.api import lint

        result: Synthesized = request.getfixturevalue(name)
        found = lint(result.text, regions=[result.document["region"]])
        assert [f"{one.rule.id} {one.message}" for one in found if one.rule.id.startswith("E")] == []

    def test_there_are_as_many_alarms_as_the_bill_has(self, build: Build, full: Synthesized) -> None:
        by_period = [alarm["Period"] for alarm in full.all("CloudWatch::Alarm")]
        # AWS, "PutMetricAlarm", read 2026: a period below a minute makes an alarm of high resolution.
        assert sum(period == 60 for period in by_period) == 10
        assert sum(period < 60 for period in by_period) == 1
        assert build(document()).all("CloudWatch::Alarm") == []
        for count in (1, 3, 6):
            few = build(document(observability={"standard_alarms": count, "p95_latency_ms": 300}))
            assert len(few.all("CloudWatch::Alarm")) == count

    def test_first_alarms_are_those_on_the_targets(self, build: Build) -> None:
        three = build(document(observability={"standard_alarms": 3, "p95_latency_ms": 300}))
        assert metrics(three).keys() == {
            "HTTPCode_Target_5XX_Count Sum",
            "TargetResponseTime p95",
            "UnHealthyHostCount Maximum",
        }
        without_promise = build(document(observability={"standard_alarms": 3}))
        assert "TargetResponseTime p95" not in metrics(without_promise)

    def test_promise_is_in_seconds(self, full: Synthesized) -> None:
        # AWS: TargetResponseTime is "the time elapsed, in seconds".
        assert metrics(full)["TargetResponseTime p95"]["Threshold"] == pytest.approx(0.275)

    def test_no_data_means_what_the_metric_says_by_silence(self, full: Synthesized) -> None:
        for alarm in full.all("CloudWatch::Alarm"):
            silent_when_well = alarm["MetricName"] in ONLY_WHERE_NOT_ZERO
            assert alarm["TreatMissingData"] == ("notBreaching" if silent_when_well else "missing"), alarm["MetricName"]

    def test_booting_task_is_no_alarm(self, full: Synthesized) -> None:
        unhealthy = metrics(full)["UnHealthyHostCount Maximum"]
        assert unhealthy["DatapointsToAlarm"] == unhealthy["EvaluationPeriods"]
        assert unhealthy["EvaluationPeriods"] * unhealthy["Period"] > PLAIN["service"]["health_check_grace_s"]

    def test_bounds_of_the_scaling(self, full: Synthesized) -> None:
        assert metrics(full)["HealthyHostCount Minimum"]["Threshold"] == PLAIN["service"]["min_capacity"]
        assert metrics(full)["HealthyHostCount Minimum"]["ComparisonOperator"] == "LessThanThreshold"
        assert metrics(full)["HealthyHostCount Maximum"]["Threshold"] == PLAIN["service"]["max_capacity"]

    def test_targets_are_watched_in_their_group(self, full: Synthesized) -> None:
        assert dimensions(metrics(full)["HTTPCode_Target_5XX_Count Sum"]) == {"LoadBalancer", "TargetGroup"}
        assert dimensions(metrics(full)["HTTPCode_ELB_5XX_Count Sum"]) == {"LoadBalancer"}
        assert dimensions(metrics(full)["MemoryUtilization Average"]) == {"ClusterName", "ServiceName"}

    def test_two_target_groups_are_watched_through_the_load_balancer(self, blue_green: Synthesized) -> None:
        alarms = metrics(blue_green)
        assert len(alarms) == 7
        assert dimensions(alarms["HTTPCode_Target_5XX_Count Sum"]) == {"LoadBalancer"}
        # AWS counts hosts by target group only.
        assert not any("HostCount" in name for name in alarms)

    def test_alarms_on_the_targets_undo_a_deployment(self, full: Synthesized, blue_green: Synthesized) -> None:
        for result, count in ((full, 4), (blue_green, 3)):
            configuration = result.one("ECS::Service")["DeploymentConfiguration"]["Alarms"]
            assert configuration["Rollback"] is configuration["Enable"] is True
            alarms = result.by_id("CloudWatch::Alarm")
            undoing = [alarms[name["Ref"]]["MetricName"] for name in configuration["AlarmNames"]]
            assert len(undoing) == count
            assert not {"HTTPCode_ELB_5XX_Count", "CPUUtilization", "MemoryUtilization"} & set(undoing)

    def test_shared_load_balancer_undoes_nothing(self, build: Build) -> None:
        elb = "arn:aws:elasticloadbalancing:ca-central-1:111122223333"
        name = "app/shared/778d41231b141a0f"
        existing = {
            "arn": f"{elb}:loadbalancer/{name}",
            "security_group_id": "sg-0123456789abcdef0",
            "listener_arn": f"{elb}:listener/{name}/f2f7dc8efc522ab2",
            "test_listener_arn": f"{elb}:listener/{name}/0f7dc8efc522ab2f",
            "dns_name": "shared-1.ca-central-1.elb.amazonaws.com",
        }
        subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
        vpc = {"vpc_id": "vpc-0123456789abcdef0", "availability_zones": ["ca-central-1a", "ca-central-1b"]}
        vpc |= {"load_balancer_subnet_ids": subnets, "task_subnet_ids": subnets}
        shared: dict[str, Any] = {"network": {"existing": vpc}, "load_balancer": {"existing": existing}}
        alarms = {"standard_alarms": 2}
        both = build(document(**shared, service=BLUE_GREEN, observability=alarms))
        assert both.one("ECS::Service")["DeploymentConfiguration"].get("Alarms", {}).get("AlarmNames", []) == []
        assert len(both.all("CloudWatch::Alarm")) == 2
        one = build(document(**shared, observability=alarms))
        assert len(one.one("ECS::Service")["DeploymentConfiguration"]["Alarms"]["AlarmNames"]) == 2
        assert {"Name": "LoadBalancer", "Value": name} in metrics(one)["HTTPCode_Target_5XX_Count Sum"]["Dimensions"]

    def test_somebody_is_told(self, full: Synthesized, blue_green: Synthesized) -> None:
        topic = {"Ref": full.id_of("SNS::Topic")}
        assert full.one("SNS::Subscription") == {
            "Endpoint": "ops@example.com",
            "Protocol": "email",
            "TopicArn": topic,
        }
        for alarm in full.all("CloudWatch::Alarm"):
            assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        assert blue_green.all("SNS::Topic") == []
        assert not any("AlarmActions" in alarm for alarm in blue_green.all("CloudWatch::Alarm"))

    def test_topic_takes_messages_of_this_account_over_tls_only(self, full: Synthesized) -> None:
        deny, allow = full.one("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        assert deny["Effect"] == "Deny"
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert allow["Effect"] == "Allow"
        assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert full.one("SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [full.id_of("KMS::Key"), "Arn"]}

    def test_alarm_of_high_resolution(self, full: Synthesized) -> None:
        (alarm,) = (one for one in full.all("CloudWatch::Alarm") if one["Period"] < 60)
        assert alarm["Namespace"] == "AWS/ECS"
        assert alarm["MetricName"] == "CPUUtilization"
        # With datapoints 20 s apart, a shorter period could be without one.
        assert alarm["Period"] == 30

    def test_dashboard(self, full: Synthesized) -> None:
        widgets = {widget["title"]: widget for widget in dashboard(full)}
        units = {title: widget["yAxis"]["left"]["label"] for title, widget in widgets.items()}
        assert units == {
            "Load and tasks": "requests/s",
            "Response time and what is promised for p95": "ms",
            "Answers of 5xx": "answers/min",
            "CPU and memory of the tasks": "%",
            "Load balancer capacity units": "LCU",
        }
        assert widgets["Load and tasks"]["yAxis"]["right"]["label"] == "tasks"
        promise = widgets["Response time and what is promised for p95"]["annotations"]["horizontal"]
        assert [one["value"] for one in promise] == [275]
        for name in ("ConsumedLCUs", "RequestCount", "HealthyHostCount", "HTTPCode_ELB_5XX_Count", "MemoryUtilization"):
            assert f'"{name}"' in json.dumps(list(widgets.values())), name

    def test_dashboard_counts_tasks_of_both_groups(self, blue_green: Synthesized) -> None:
        (load,) = (widget for widget in dashboard(blue_green) if widget["title"] == "Load and tasks")
        assert {"tasks / 3"} == {one[-1]["expression"] for one in load["metrics"] if one[-1].get("yAxis") == "right"}
        assert "HealthyHostCount" not in json.dumps(load)

    def test_budget(self, full: Synthesized, blue_green: Synthesized) -> None:
        budget = full.one("Budgets::Budget")
        assert budget["Budget"]["BudgetLimit"] == {"Amount": 321.5, "Unit": "USD"}
        assert budget["Budget"]["TimeUnit"] == "MONTHLY"
        # AWS, "Budget filters", read 2026: tags that users define are called user:.
        assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:estimator:service$article-web-server"]}
        # Names are unique in an account: an ARN such as ...:stack/shop/1c2fa620-982a-11e3-aff7-50e2416294e0 has a part that is.
        (name, (first, stack_id, reader)) = budget["Budget"]["BudgetName"]["Fn::Join"]
        assert (name, first) == ("", "article-web-server-")
        (arn_part,) = stack_id["Fn::Select"][1]["Fn::Split"][1:]
        assert arn_part == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
        nobody = blue_green.one("Budgets::Budget")["Budget"]["BudgetName"]["Fn::Join"][1][-1]
        assert nobody != reader
        notices = [one["Notification"] for one in budget["NotificationsWithSubscribers"]]
        found = [(one["NotificationType"], one["Threshold"], one["ThresholdType"]) for one in notices]
        assert found == [("ACTUAL", 80, "PERCENTAGE"), ("ACTUAL", 100, "PERCENTAGE"), ("FORECASTED", 100, "PERCENTAGE")]
        told = [one["Subscribers"] for one in budget["NotificationsWithSubscribers"]]
        assert told == [[{"Address": "ops@example.com", "SubscriptionType": "EMAIL"}]] * 3
        assert "NotificationsWithSubscribers" not in blue_green.one("Budgets::Budget")

    def test_key_is_for_the_log_groups_of_this_account(self, full: Synthesized) -> None:
        key = full.one("KMS::Key")
        assert key["EnableKeyRotation"] is True
        (logs,) = (one for one in key["KeyPolicy"]["Statement"] if "kms:Encrypt*" in one["Action"])
        assert logs["Principal"]["Service"]["Fn::Join"][1][0] == "logs.ca-central-1."
        (condition,) = logs["Condition"]["ArnLike"].items()
        assert condition[0] == "kms:EncryptionContext:aws:logs:arn"
        assert condition[1]["Fn::Join"][1] == [
            "arn:aws:logs:ca-central-1:",
            {"Ref": "AWS::AccountId"},
            ":log-group:*",
        ]

    def test_flow_log_to_a_log_group(self, full: Synthesized) -> None:
        group = full.one("Logs::LogGroup")
        assert group["LogGroupClass"] == "INFREQUENT_ACCESS"
        assert group["RetentionInDays"] == 7
        assert group["KmsKeyId"] == {"Fn::GetAtt": [full.id_of("KMS::Key"), "Arn"]}
        flow_log = full.one("EC2::FlowLog")
        assert flow_log["LogDestinationType"] == "cloud-watch-logs"
        assert flow_log["ResourceId"] == {"Ref": full.id_of("EC2::VPC")}
        role = full.by_id("IAM::Role")[flow_log["DeliverLogsPermissionArn"]["Fn::GetAtt"][0]]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        (policy,) = role["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Resource"] == {"Fn::GetAtt": [full.id_of("Logs::LogGroup"), "Arn"]}
        assert full.all("S3::Bucket") == []

    def test_bucket(self, blue_green: Synthesized) -> None:
        bucket = blue_green.one("S3::Bucket")
        assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        )
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        # AWS: the load balancer writes to no bucket with a customer's key.
        assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 37)
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        statements = blue_green.one("S3::BucketPolicy")["PolicyDocument"]["Statement"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [
            one["Condition"] for one in statements if one["Effect"] == "Deny"
        ]
        assert blue_green.one("EC2::FlowLog")["LogDestinationType"] == "s3"
        assert blue_green.all("KMS::Key") == blue_green.all("Logs::LogGroup") == []

    def test_nothing_that_is_not_planned(self, build: Build) -> None:
        result = build(document())
        for kind in (
            "CloudWatch::Dashboard",
            "Budgets::Budget",
            "SNS::Topic",
            "KMS::Key",
            "S3::Bucket",
            "EC2::FlowLog",
        ):
            assert result.all(kind) == [], kind


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"standard_alarms": -1}, ["observability.standard_alarms is -1"]),
        ({"standard_alarms": 10}, ["observability.standard_alarms is 10", "at most 9", "Target5xx, UnhealthyTargets"]),
        ({"high_resolution_alarms": 1}, ["observability.high_resolution_alarms is 1", "at most 0"]),
        ({"dashboards": 2}, ["observability.dashboards is 2"]),
        ({"p95_latency_ms": 0}, ["observability.p95_latency_ms is 0", "above 0"]),
        ({"p95_latency_ms": "fast"}, ["observability.p95_latency_ms is 'fast'"]),
        ({"alarm_email": "ops"}, ["observability.alarm_email is 'ops'"]),
        ({"budget_usd_per_month": -5}, ["observability.budget_usd_per_month is -5"]),
        ({"colour": "red"}, ["observability.colour is 'red'"]),
    ],
)
def test_refusals(stack: SimpleNamespace, changes: dict[str, Any], words: list[str]) -> None:
    message = refusal(stack, document(observability=changes))
    for word in words:
        assert word in message


def test_two_target_groups_have_fewer_alarms(stack: SimpleNamespace) -> None:
    message = refusal(stack, document(observability={"standard_alarms": 7}, service=BLUE_GREEN))
    assert "at most 6" in message


def test_fixed_number_of_tasks_has_no_maximum_to_reach(stack: SimpleNamespace) -> None:
    fixed = {"min_capacity": 5, "max_capacity": 5}
    assert "at most 8" in refusal(stack, document(observability={"standard_alarms": 9}, service=fixed))


def test_scheduled_bounds_count(stack: SimpleNamespace) -> None:
    actions = [
        {"schedule": "cron(0 8 * * ? *)", "timezone": "UTC", "min_capacity": 9, "max_capacity": 40},
        {"schedule": "cron(0 20 * * ? *)", "timezone": "UTC", "min_capacity": 2, "max_capacity": None},
    ]
    config = stack.config.parse_config(document(scheduled_actions=actions))
    alarms = {alarm.name: alarm for alarm in module().alarms_of(config)}
    assert alarms["TooFewHealthyTargets"].threshold == 2
    assert alarms["AtMaximum"].threshold == 40


def test_budget_is_refused_where_cloudformation_has_none(stack: SimpleNamespace) -> None:
    message = refusal(stack, document(region="eu-north-1", observability={"budget_usd_per_month": 50}))
    assert "observability.budget_usd_per_month is 50" in message
    assert "'eu-north-1'" in message


def test_regions_with_budgets_are_those_of_cloudformation() -> None:
    from cfnlint.helpers import REGIONS
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    def has_budgets(region: str) -> bool:
        try:
            PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, "AWS::Budgets::Budget")
        except ResourceNotFoundError:
            return False
        return True

    known = importlib.import_module("estimator.export.stack.fargate_stack.observability_config").BUDGET_REGIONS
    # China and the sovereign clouds have accounts, prices and bills of their own.
    commercial = [one for one in REGIONS if one.split("-")[0] in ("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us")]
    commercial = [one for one in commercial if "-iso" not in one]
    assert {one for one in commercial if has_budgets(one)} == set(known)


def test_longest_grace_is_within_the_day_that_an_alarm_looks_back() -> None:
    table = module().alarm_table
    service = {"p95_latency_ms": None, "two_target_groups": False, "min_capacity": 1, "max_capacity": 2}
    periods = [alarm.evaluation_periods for alarm in table(**service, health_check_grace_s=86_400)]
    assert max(periods) == 1440


def module() -> Any:
    return importlib.import_module("fargate_stack.observability_config")


def refusal(stack: SimpleNamespace, broken: dict[str, Any]) -> str:
    error = importlib.import_module("fargate_stack.section").ConfigError
    with pytest.raises(error) as caught:
        module().check_observability(stack.config.parse_config(broken))
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message

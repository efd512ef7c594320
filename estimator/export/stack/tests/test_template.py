"""The template holds the numbers of ``stack_config.json``, and what costs money is there as often as it says, and no more often."""

from typing import Any

from conftest import Synthesized  # type: ignore[import-not-found, unused-ignore]

Config = dict[str, Any]


def made(config: Config, part: str) -> int:
    """Return 1 for what this stack makes itself, 0 where one is used that was there."""
    key = "existing_name" if part == "cluster" else "existing"
    return 0 if config[part][key] else 1


def test_cfn_lint_finds_no_error(synthesized: Synthesized, config: Config) -> None:
    """Each template is one that CloudFormation takes in the stack's region."""
    from cfnlint.api import lint  # type: ignore[import-untyped, unused-ignore]

    for name, text in synthesized.texts.items():
        found = lint(text, regions=[config["region"]])
        assert [f"{match.rule.id} {match.message}" for match in found if match.rule.id.startswith("E")] == [], name


def test_no_bootstrapping_is_needed(synthesized: Synthesized) -> None:
    """Neither a rule that asks for a bootstrapped account nor a resource that needs a bucket of assets."""
    for template in synthesized.templates.values():
        assert "Rules" not in template
        assert "BootstrapVersion" not in template.get("Parameters", {})


def test_stacks(synthesized: Synthesized, config: Config) -> None:
    """The service's stack, and one for the repository where the plan has one."""
    repository = {f"{config['name']}-repository"} if config["repository"] else set()
    assert set(synthesized.templates) == {config["name"], *repository}


def test_task(synthesized: Synthesized, config: Config) -> None:
    """Size, processor and containers of a task."""
    task, definition = config["task"], synthesized.one("ECS::TaskDefinition")
    assert (definition["Cpu"], definition["Memory"]) == (str(task["cpu_units"]), str(task["memory_mib"]))
    assert definition["RuntimePlatform"]["CpuArchitecture"] == task["cpu_architecture"]
    assert definition["RuntimePlatform"]["OperatingSystemFamily"] == task["operating_system_family"]
    storage_gib = definition.get("EphemeralStorage", {"SizeInGiB": 20})["SizeInGiB"]
    assert storage_gib == task["ephemeral_storage_gib"]
    names = {container["Name"] for container in definition["ContainerDefinitions"]}
    assert names == {"web", *(sidecar["name"] for sidecar in config["application"]["sidecars"])}


def test_scaling_owns_the_number_of_tasks(synthesized: Synthesized, config: Config) -> None:
    """With a DesiredCount in the template each deployment would undo what scaling has done."""
    assert "DesiredCount" not in synthesized.one("ECS::Service")
    target, service = synthesized.one("ApplicationAutoScaling::ScalableTarget"), config["service"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (service["min_capacity"], service["max_capacity"])


def test_scaling_policies(synthesized: Synthesized, config: Config) -> None:
    """Each policy of the plan, with its kind and its target, and no other."""
    found = []
    for policy in synthesized.all("ApplicationAutoScaling::ScalingPolicy"):
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
        forecast = policy.get("PredictiveScalingPolicyConfiguration", {}).get("MetricSpecifications", [{}])[0]
        found.append((policy["PolicyType"], tracking.get("TargetValue", forecast.get("TargetValue"))))
    planned = [(policy["policy_type"], policy.get("target_value")) for policy in config["scaling"]]
    assert sorted(found, key=str) == sorted(planned, key=str)


def test_scheduled_actions(synthesized: Synthesized, config: Config) -> None:
    """Each scheduled action of the plan, with the bounds that it sets."""
    found = [
        (
            action["Schedule"],
            action["ScalableTargetAction"].get("MinCapacity"),
            action["ScalableTargetAction"].get("MaxCapacity"),
        )
        for action in synthesized.one("ApplicationAutoScaling::ScalableTarget").get("ScheduledActions", [])
    ]
    assert found == [
        (action["schedule"], action["min_capacity"], action["max_capacity"]) for action in config["scheduled_actions"]
    ]


def test_capacity_providers(synthesized: Synthesized, config: Config) -> None:
    """Fargate and Fargate Spot with the planned base and weights."""
    strategy = config["service"]["capacity_provider_strategy"]
    items = {one["CapacityProvider"]: one for one in synthesized.one("ECS::Service")["CapacityProviderStrategy"]}
    assert items.get("FARGATE", {}).get("Base", 0) == strategy["fargate_base"]
    assert items.get("FARGATE", {}).get("Weight", 0) == strategy["fargate_weight"]
    assert items.get("FARGATE_SPOT", {}).get("Weight", 0) == strategy["fargate_spot_weight"]


def test_deployment(synthesized: Synthesized, config: Config) -> None:
    """Who replaces the tasks, and how."""
    deployment, service = config["service"]["deployment"], synthesized.one("ECS::Service")
    assert service.get("DeploymentController", {"Type": "ECS"})["Type"] == deployment["controller"]
    if deployment["controller"] == "CODE_DEPLOY":
        assert len(synthesized.all("CodeDeploy::DeploymentGroup")) == 1
    else:
        assert service["DeploymentConfiguration"].get("Strategy", "ROLLING") == deployment["strategy"]
    groups = 1 if deployment["strategy"] == "ROLLING" else 2
    assert len(synthesized.all("ElasticLoadBalancingV2::TargetGroup")) == groups


def test_network(synthesized: Synthesized, config: Config) -> None:
    """What the network costs: gateways and endpoints; and as many zones as planned."""
    network = config["network"]
    own = made(config, "network")
    kinds = 1 if network["layout"] == "public" else 2
    assert len(synthesized.all("EC2::Subnet")) == own * kinds * network["availability_zones"]
    assert len(synthesized.all("EC2::NatGateway")) == own * network["nat_gateways"]
    endpoints = [one for one in synthesized.all("EC2::VPCEndpoint") if one["VpcEndpointType"] == "Interface"]
    services = sorted(str(one["ServiceName"]).split(f"{config['region']}.")[-1] for one in endpoints)
    assert services == (sorted(network["interface_endpoints"]) if own else [])
    assert len(synthesized.all("EC2::FlowLog")) == own * (1 if network["flow_logs"] else 0)


def test_load_balancer(synthesized: Synthesized, config: Config) -> None:
    """Logs, protection and reserved capacity of the load balancer."""
    planned, own = config["load_balancer"], made(config, "load_balancer")
    balancers = synthesized.all("ElasticLoadBalancingV2::LoadBalancer")
    assert len(balancers) == own
    for balancer in balancers:
        attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
        assert attributes.get("access_logs.s3.enabled", "false") == str(planned["access_logs"]).lower()
        assert attributes.get("deletion_protection.enabled", "false") == str(planned["deletion_protection"]).lower()
        assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
        reserved = balancer.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits", 0)
        assert reserved == planned["reserved_lcu"]
    for group in synthesized.all("ElasticLoadBalancingV2::TargetGroup"):
        assert group["HealthCheckPath"] == config["application"]["health_check_path"]
        assert group["HealthCheckIntervalSeconds"] == planned["health_check_interval_s"]


def test_cluster(synthesized: Synthesized, config: Config) -> None:
    """Container Insights as planned: each of its metrics is billed."""
    clusters = synthesized.all("ECS::Cluster")
    assert len(clusters) == made(config, "cluster")
    for cluster in clusters:
        settings = {one["Name"]: one["Value"] for one in cluster["ClusterSettings"]}
        assert settings["containerInsights"] == config["cluster"]["container_insights"]


def test_alarms_of_your_own(synthesized: Synthesized, config: Config) -> None:
    """As many alarms as the bill has; those that call a scaling policy are not among them."""
    policies = synthesized.by_id("ApplicationAutoScaling::ScalingPolicy")
    own = [
        alarm
        for alarm in synthesized.all("CloudWatch::Alarm")
        if not any(
            isinstance(action, dict) and action.get("Ref") in policies for action in alarm.get("AlarmActions", [])
        )
    ]
    fast = [alarm for alarm in own if alarm.get("Period", 60) < 60]
    seen = config["observability"]
    assert (len(own) - len(fast), len(fast)) == (seen["standard_alarms"], seen["high_resolution_alarms"])


def test_what_is_billed_around_the_service(synthesized: Synthesized, config: Config) -> None:
    """Dashboards, keys, the web ACL with its rules, the distribution, the budget and the retention of logs."""
    edge, seen = config["edge"], config["observability"]
    assert len(synthesized.all("CloudWatch::Dashboard")) == seen["dashboards"]
    assert len(synthesized.all("KMS::Key")) == config["security"]["kms_keys"]
    assert len(synthesized.all("CloudFront::Distribution")) == (1 if edge["cloudfront"] else 0)
    assert len(synthesized.all("Budgets::Budget")) == (0 if seen["budget_usd_per_month"] is None else 1)
    rules = [len(acl["Rules"]) for acl in synthesized.all("WAFv2::WebACL")]
    assert rules == ([] if edge["waf_rules"] is None else [edge["waf_rules"]])
    days = {group.get("RetentionInDays") for group in synthesized.all("Logs::LogGroup")}
    assert config["application"]["log_retention_days"] in days
    assert None not in days


def test_tags(synthesized: Synthesized, config: Config) -> None:
    """By its tags the bill can be laid beside the estimate."""
    tags = {tag["Key"]: tag["Value"] for tag in synthesized.one("ECS::Service")["Tags"]}
    assert tags["estimator:fingerprint"] == config["fingerprint"]
    assert tags["estimator:prices-published"] == config["prices_published"]

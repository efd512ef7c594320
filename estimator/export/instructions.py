"""What the README of an exported stack says of its own configuration: how it is built, deployed, tested, watched and deleted, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimator.markdown import markdown_table

Config = Mapping[str, Any]

#: Name of the application's container in a task.
CONTAINER = "web"


def readme_blanks(config: Config) -> dict[str, str]:
    """Write what depends on the configuration, as Markdown.

    Parameters
    ----------
    config : dict
        The document of ``stack_config.json``.

    Returns
    -------
    dict of str to str
        By name of a blank in the README: ``picture``, ``contents``, ``bill_note``, ``parameters_text``, ``address_text``, ``deployment_text``,
        ``watch_text``, ``change_text``, ``review``, ``destroy_text``.
    """
    return {
        "picture": _picture(config),
        "contents": _contents(config),
        "bill_note": _bill_note(config),
        "parameters_text": _parameters_text(config),
        "address_text": _address_text(config),
        "deployment_text": _deployment_text(config),
        "watch_text": _watch_text(config),
        "change_text": _change_text(config),
        "review": _review(config),
        "destroy_text": _destroy_text(config),
    }


def is_https(config: Config) -> bool:
    """Say whether the load balancer that the stack makes serves HTTPS.

    Parameters
    ----------
    config : dict
        The document of ``stack_config.json``.

    Returns
    -------
    bool
        True with a certificate, or a domain for which one is made.
    """
    return bool(config["application"]["certificate_arn"] or config["edge"]["domain"])


def _shifts(config: Config) -> bool:
    """Say whether two target groups take turns."""
    return bool(config["service"]["deployment"]["strategy"] != "ROLLING")


def _picture(config: Config) -> str:
    network, balancer, edge, service = (config[part] for part in ("network", "load_balancer", "edge", "service"))
    zones = f"in {network['availability_zones']} zones"
    there = " (there already)" if balancer["existing"] else ""
    clients = "viewers" if edge["cloudfront"] else f"clients in {', '.join(balancer['ingress_cidrs'])}"
    groups = ", two target groups that take turns" if _shifts(config) else ""
    rows = [clients]
    if edge["cloudfront"]:
        rows += ["   │", "CloudFront"]
    redirects = "" if edge["cloudfront"] or balancer["existing"] else "; 80 redirects to it"
    rows.append("   │  " + (f"443{redirects}" if is_https(config) else "80"))
    if edge["waf_rules"] is not None:
        rows += [f"web ACL, {_count(edge['waf_rules'], 'rule')}", "   │"]
    rows += [
        f"load balancer{there}, public subnets {zones}{groups}",
        f"   │  {config['application']['container_port']}",
        f"{service['min_capacity']} to {service['max_capacity']} tasks on Fargate, {_SUBNETS[network['layout']]} {zones}",
        f"   ├──> CloudWatch Logs, kept {_count(config['application']['log_retention_days'], 'day')}",
        f"   └──> {_way_out(network)}",
    ]
    return "```\n" + "\n".join(rows) + "\n```"


_SUBNETS = {"public": "public subnets", "nat": "private subnets", "endpoints": "isolated subnets"}


def _way_out(network: Config) -> str:
    if network["existing"]:
        return "what the subnets have as a way out"
    if network["layout"] == "nat":
        return f"{_count(network['nat_gateways'], 'NAT gateway')} ──> internet"
    if network["layout"] == "endpoints":
        return f"interface endpoints: {', '.join(network['interface_endpoints'])}"
    return "internet, each by a public address of its own"


def _contents(config: Config) -> str:
    network, balancer, edge, seen = (config[part] for part in ("network", "load_balancer", "edge", "observability"))
    alarms = seen["standard_alarms"] + seen["high_resolution_alarms"]
    made = [
        "" if network["existing"] else "a VPC of its own",
        "VPC flow logs" if network["flow_logs"] else "",
        "" if balancer["existing"] else "an Application Load Balancer",
        "its access logs in S3" if balancer["access_logs"] else "",
        f"{balancer['reserved_lcu']} reserved capacity units" if balancer["reserved_lcu"] else "",
        f"a web ACL with {_count(edge['waf_rules'], 'rule')}" if edge["waf_rules"] is not None else "",
        "a CloudFront distribution" if edge["cloudfront"] else "",
        f"the name {edge['domain']['name']}" if edge["domain"] else "",
        "" if config["cluster"]["existing_name"] else "an ECS cluster",
        "one service",
        "its scaling",
        "its log group",
        "its roles",
        "an application and a deployment group of CodeDeploy" if _by_code_deploy(config) else "",
        _count(alarms, "alarm") if alarms else "",
        "a dashboard" if seen["dashboards"] else "",
        "a monthly budget" if seen["budget_usd_per_month"] is not None else "",
        "a key of KMS" if config["security"]["kms_keys"] else "",
    ]
    there = [
        "the VPC" if network["existing"] else "",
        "the load balancer and its listeners" if balancer["existing"] else "",
        "the cluster" if config["cluster"]["existing_name"] else "",
    ]
    text = f"One CloudFormation stack in {config['region']}: {_list(made)}."
    used = _list(there)
    if used:
        text += f" There already, and left as they are: {used}."
    if config["repository"]:
        text += f" The ECR repository is a stack of its own, `{config['name']}-repository`."
    if config["application"]["readonly_root_filesystem"]:
        text += " The application can write to `/tmp` only: 64 MiB, which are memory of the task."
    return text + _refused_text(config)


def _refused_text(config: Config) -> str:
    """Say what the web ACL refuses that an honest client may send."""
    edge = config["edge"]
    # The first rule is that of common attacks, the third the rate.
    rules = edge["waf_rules"] or 0
    refused = [
        "bodies above 8 KB" if rules >= 1 and not edge["large_bodies"] else "",
        "more than 2,000 requests in five minutes from one address" if rules >= _RULES_WITH_RATE else "",
    ]
    text = f" The web ACL refuses {_list(refused)}." if any(refused) else ""
    if rules >= 1 and edge["large_bodies"]:
        text += " Bodies above 8 KB are counted by the web ACL and not refused, since the scenario has requests of that size."
    return text


#: From so many rules on the web ACL limits the rate of each address.
_RULES_WITH_RATE = 3


def _bill_note(config: Config) -> str:
    """Say what is on the bill though this stack does not make it."""
    network = config["network"]
    there = [
        "the load balancer" if config["load_balancer"]["existing"] else "",
        _ways_out_there(network) if network["existing"] else "",
    ]
    text = _list(there)
    if not text:
        return ""
    be, of = ("are", "their") if len(list(filter(None, there))) > 1 else ("is", "its")
    return f"\n\n{text[0].upper()}{text[1:]} {be} there already; {of} hours are on this bill all the same."


def _ways_out_there(network: Config) -> str:
    if network["layout"] == "nat":
        return "the VPC with its NAT gateways"
    return "the VPC with its interface endpoints" if network["layout"] == "endpoints" else "the VPC"


def _parameters_text(config: Config) -> str:
    """Say what is asked for at deployment, and how it is given."""
    asked = []
    if config["application"]["image"] is None:
        asked.append(("ContainerImage", "the image"))
    if config["edge"]["cloudfront"]:
        asked.append(("CloudFrontPrefixListId", "the addresses of CloudFront, which alone reach the load balancer"))
    before = (
        f"Deploy `{config['name']}-repository` first, in the same way, and push the image to its output `RepositoryUri`.\n\n"
        if config["repository"]
        else ""
    )
    if not asked:
        return f"{before}Nothing is asked for at deployment."
    first = " ".join(f"{name}=<{name}>" for name, _ in asked)
    second = " ".join(f"--parameters {name}=<{name}>" for name, _ in asked)
    found = (
        "\n\n```\n"
        f"aws ec2 describe-managed-prefix-lists --region {config['region']} \\\n"
        "    --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing \\\n"
        '    --query "PrefixLists[0].PrefixListId" --output text\n```\n\nfinds the second.'
        if config["edge"]["cloudfront"]
        else ""
    )
    found = found if len(asked) == 2 else found.replace("the second", "it")
    return (
        f"{before}Asked for at deployment: {_list([f'`{name}`, {what}' for name, what in asked])}. Add "
        f"`--parameter-overrides {first}` to the first command, or `{second}` to the second. Later deployments keep what was given if nothing is said.{found}"
    )


def _has_name_of_its_own(config: Config) -> bool:
    """Say whether a name of one's own leads to the load balancer, and not to CloudFront before it."""
    edge = config["edge"]
    if not edge["domain"]:
        return False
    return not edge["cloudfront"] or edge["domain"]["name"] != edge["cloudfront"]["domain_name"]


def _address_text(config: Config) -> str:
    """Say which output is the address, what has to be done for a name, and what the task needs besides to start."""
    edge, application = config["edge"], config["application"]
    if edge["cloudfront"]:
        text = "The output `DistributionUrl` is the address" + (
            "." if config["load_balancer"]["existing"] else "; `LoadBalancerUrl` answers nobody but CloudFront."
        )
        name = edge["cloudfront"]["domain_name"]
        if name and not (edge["domain"] and edge["domain"]["name"] == name):
            text += f" Point {name} at the distribution."
    elif edge["domain"]:
        text = f"The address is https://{edge['domain']['name']}, in the output `LoadBalancerUrl` too; its record is part of the stack."
    elif config["load_balancer"]["existing"]:
        text = (
            "The output `LoadBalancerUrl` is the load balancer that is there already. The service answers every path that no rule before its own takes; the "
            "parameter `ListenerRulePriority` is its place."
        )
    elif application["certificate_arn"]:
        text = (
            "Point the name in your certificate at the load balancer: the output `LoadBalancerUrl` has its name, under which no client trusts the "
            "certificate."
        )
    else:
        text = "The output `LoadBalancerUrl` is the address."
    if application["secrets"]:
        text += (
            "\n\nA secret under a key of your own also needs `kms:Decrypt` for the execution role; add it in `fargate_stack/service.py`, or in the policy "
            "of the key."
        )
    return text


def _change_text(config: Config) -> str:
    """Say how another image comes in, and what an update must not meet."""
    image = config["application"]["image"]
    how = (
        "write it as `application.image` in the scenario and export again, or as `image` in `stack_config.json`, run `python app.py` and deploy"
        if image
        else "deploy with another `ContainerImage`, or write it as `image` in `stack_config.json`, run `python app.py` and deploy"
    )
    text = (
        f"- **The image**: {how}. A digest or a tag of its own for each build makes the change visible; a moved tag does not. The image has to be built "
        "for the `cpu_architecture` and the `operating_system_family`."
    )
    if _shifts(config) and not config["load_balancer"]["existing"] and is_https(config):
        text += "\n- **The certificate**: another one updates the listener" + (
            ", and CloudFormation writes the first target group back. With CodeDeploy, first see that the traffic is on the first target group."
            if _by_code_deploy(config)
            else "; what ECS shifts is a rule, which stays as it is."
        )
    return text


def _by_code_deploy(config: Config) -> bool:
    return bool(config["service"]["deployment"]["controller"] == "CODE_DEPLOY")


def _deployment_text(config: Config) -> str:
    parts = ["## A new revision", _strategy_text(config)]
    if _by_code_deploy(config):
        parts.append(_code_deploy_text(config))
    if _shifts(config):
        parts += ["## Test it before it has traffic", _test_text(config)]
    parts += ["## Roll back", _roll_back_text(config)]
    return "\n\n".join(parts)


def _strategy_text(config: Config) -> str:
    deployment = config["service"]["deployment"]
    bake = f"the old tasks then stay for {_minutes(deployment['bake_time_in_minutes'])}"
    beside = "as many new tasks start beside the old ones, in the other target group"
    by = "CodeDeploy" if _by_code_deploy(config) else "ECS"
    match deployment["strategy"]:
        case "ROLLING":
            return (
                f"ECS replaces the tasks a few at a time: at least {deployment['minimum_healthy_percent']:g} % of them stay healthy, and never more "
                f"than {deployment['maximum_percent']:g} % run. If the new ones do not become healthy, ECS goes back to the old ones by itself."
            )
        case "CANARY":
            return (
                f"{by} deploys canary: {beside}; {deployment['canary_percent']:g} % of the traffic goes to them for "
                f"{_minutes(deployment['canary_bake_time_in_minutes'])}, then the rest; {bake}."
            )
        case "LINEAR":
            return (
                f"{by} deploys linear: {beside}; every {_minutes(deployment['step_bake_time_in_minutes'])} another "
                f"{deployment['step_percent']:g} % of the traffic goes to them; {bake}."
            )
    return f"{by} deploys blue/green: {beside}; then all traffic goes to them at once; {bake}."


def _code_deploy_text(config: Config) -> str:
    region, spot = config["region"], config["service"]["capacity_provider_strategy"]["fargate_spot_weight"]
    untried = (
        ""
        if not config["load_balancer"]["existing"]
        else "\n\nThe listener was there already and leads to the service by a rule. That CodeDeploy shifts such a rule has not been tried: see it once "
        "before there is traffic, or let ECS deploy."
    )
    return f"""\
CloudFormation cannot change the task definition of a service that CodeDeploy deploys: ECS answers "Unable to update task definition on services
with a CODE_DEPLOY deployment controller". So a deployment of the stack registers the new revision, and CodeDeploy brings it in. The outputs of the
stack say `TaskDefinitionArn`, `CodeDeployApplication` and `CodeDeployDeploymentGroup`. Write the first to `appspec.yaml`:

```yaml
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TaskDefinitionArn>
        LoadBalancerInfo:
          ContainerName: {CONTAINER}
          ContainerPort: {config["application"]["container_port"]}
        CapacityProviderStrategy:
{_app_spec_strategy(config)}
```

Without `CapacityProviderStrategy` the service loses its capacity providers{", and its tasks are no longer on Spot" if spot else ""}. Deploy it:

```
python -c "import json, sys; print(json.dumps({{'revisionType': 'AppSpecContent', 'appSpecContent': {{'content': sys.stdin.read()}}}}))" \\
    < appspec.yaml > revision.json
aws deploy create-deployment --region {region} --revision file://revision.json \\
    --application-name <CodeDeployApplication> --deployment-group-name <CodeDeployDeploymentGroup>
```{untried}"""


def _app_spec_strategy(config: Config) -> str:
    """Write the capacity providers of the service as an AppSpec has them [1]_.

    Notes
    -----
    CodeDeploy makes the new tasks without those of the service where the AppSpec has none: they are lost to the service too [2]_.

    References
    ----------
    .. [1] AWS, "AppSpec 'resources' section", read 2026,
       https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    .. [2] aws/containers-roadmap, "Blue/Green Service Deploy doesn't add Service's CapacityProviderStrategy to AppSpec", read 2026,
       https://github.com/aws/containers-roadmap/issues/1752
    """
    strategy = config["service"]["capacity_provider_strategy"]
    items = [
        ("FARGATE", strategy["fargate_base"], strategy["fargate_weight"]),
        ("FARGATE_SPOT", 0, strategy["fargate_spot_weight"]),
    ]
    return "\n".join(
        f"          - CapacityProvider: {name}\n            Base: {base}\n            Weight: {weight}"
        for name, base, weight in items
        if base or weight
    )


def _test_text(config: Config) -> str:
    balancer = config["load_balancer"]
    path = config["application"]["health_check_path"]
    if balancer["existing"]:
        if not balancer["existing"]["test_listener_arn"]:
            return "The load balancer that is there already was given no test listener: a new revision gets traffic without a test."
        where = "Before a new revision has traffic, the test listener of your load balancer leads to it."
    else:
        where = (
            f"Before a new revision has traffic, port {balancer['test_port']} of the load balancer leads to it. Nobody reaches that port until you say "
            "who: deploy with `TestListenerCidr=<your addresses>`, such as 203.0.113.7/32. Then, with "
            f"{_try_text(config, path)}"
        )
    waits = (
        "CodeDeploy goes on at once, unless the deployment group has a waiting time or a Lambda function for `AfterAllowTestTraffic`."
        if _by_code_deploy(config)
        else "ECS goes on at once, unless the service has a lifecycle hook, a Lambda function that says yes or no, at `POST_TEST_TRAFFIC_SHIFT`."
    )
    return f"{where}\n\n{waits}"


def _try_text(config: Config, path: str) -> str:
    """Say how a request reaches the test listener; a certificate is trusted under its own name only."""
    if not is_https(config) or _has_name_of_its_own(config):
        return f"the output `TestUrl`:\n\n```\ncurl -i <TestUrl>{path}\n```"
    port = config["load_balancer"]["test_port"]
    return (
        "the load balancer's name from the output `TestUrl`, and the name in the certificate:\n\n"
        f"```\ncurl -i --connect-to ::<load balancer>:{port} https://<your name>:{port}{path}\n```"
    )


def _roll_back_text(config: Config) -> str:
    region = config["region"]
    if _by_code_deploy(config):
        return (
            "While it shifts, or while the old tasks still stay:\n\n"
            f"```\naws deploy stop-deployment --region {region} --deployment-id <id> --auto-rollback-enabled\n```\n\n"
            "Traffic is back on the old tasks within seconds. Once they are gone, deploy the old image as a new revision."
        )
    while_it_runs = (
        "While it shifts, or while the old tasks still stay, traffic goes back to them within seconds:"
        if _shifts(config)
        else "While it runs:"
    )
    return (
        f"{while_it_runs}\n\n```\n"
        f"aws ecs list-service-deployments --region {region} --cluster <ClusterName> --service <ServiceName> --status PENDING IN_PROGRESS\n"
        f"aws ecs stop-service-deployment --region {region} --service-deployment-arn <serviceDeploymentArn> --stop-type ROLLBACK\n```\n\n"
        "A CloudFormation update that still waits for it fails, and goes back to the last template too. Afterwards, deploy the old image again."
    )


def _watch_text(config: Config) -> str:
    region, seen = config["region"], config["observability"]
    name = "service/<ClusterName>/<ServiceName>"
    parts = [
        "```\n"
        f"aws ecs describe-services --region {region} --cluster <ClusterName> --services <ServiceName> \\\n"
        '    --query "services[0].[desiredCount, runningCount, pendingCount, events[:5].message]"\n'
        f"aws application-autoscaling describe-scaling-activities --region {region} --service-namespace ecs --resource-id {name}\n"
        f"aws logs tail --region {region} --follow <LogGroupName>\n```",
    ]
    alarms = seen["standard_alarms"] + seen["high_resolution_alarms"]
    if alarms:
        told = (
            f"{seen['alarm_email']} is told of them, once the message of SNS that asks for it is confirmed"
            if seen["alarm_email"]
            else "nobody is told of them: `stack.alarm_email` says who is"
        )
        does = (
            "They watch all services of the shared load balancer, and undo no deployment."
            if config["load_balancer"]["existing"] and _shifts(config)
            else "Those on what the tasks answer undo a deployment."
        )
        parts.append(f"{_count(alarms, 'alarm')}, besides those of scaling: {told}. {does}")
    if seen["dashboards"]:
        parts.append(
            "The dashboard in CloudWatch shows requests, errors, response times and tasks beside what was planned."
        )
    if seen["budget_usd_per_month"] is not None:
        parts.append(
            f"The budget is ${seen['budget_usd_per_month']:,.2f} a month, of what has the tag `estimator:service`: it counts nothing until that is "
            "activated as a cost allocation tag."
            + (
                " It does not see what is there already, which is on the bill above: give `stack.budget_usd_per_month` without it."
                if config["load_balancer"]["existing"] or config["network"]["existing"]
                else ""
            )
        )
    return "\n\n".join(parts)


def _review(config: Config) -> str:
    """List what a strict review will ask for and the plan leaves out, with the key of the scenario that switches it on."""
    rows = [(asks, rules, key if key.startswith(_BY_HAND) else f"`{key}`") for asks, rules, key in left_out(config)]
    if not rows:
        return "Nothing that we know of."
    heads = ("Left out", "Rules of cdk-nag and others", "Switched on in the scenario by")
    return "\n".join(
        [
            *markdown_table(heads, rows),
            "",
            "Each is left out because the plan's bill is without it, or because only you can give it. Change the scenario and export again: the bill is "
            "then with it.",
        ]
    )


def left_out(config: Config) -> list[tuple[str, str, str]]:
    """List what a strict review asks for and a configuration is without.

    Parameters
    ----------
    config : dict
        Document of ``stack_config.json``.

    Returns
    -------
    list of (str, str, str)
        What it is, by which rules it is asked for, and the scenario's key that switches it on, or the file in which it can be written.
    """
    return [(asks, rules, key) for is_left_out, asks, rules, key in _asked(config) if is_left_out]


#: What is said in place of a key where there is none.
_BY_HAND = "no key"


def _asked(config: Config) -> list[tuple[bool, str, str, str]]:
    """Say of each whether it is left out, what is asked for, by which rules, and the scenario's key."""
    application, network, balancer, edge = (
        config[part] for part in ("application", "network", "load_balancer", "edge")
    )
    seen, deployment = config["observability"], config["service"]["deployment"]
    own = not balancer["existing"]
    image = application["image"] or ""
    return [
        (
            own and not is_https(config),
            "HTTPS: clients speak HTTP",
            "CKV_AWS_2, ELB.1",
            "application.certificate_arn, or stack.domain",
        ),
        (
            own and not edge["cloudfront"] and "0.0.0.0/0" in balancer["ingress_cidrs"],
            "An entry for known addresses only",
            "AwsSolutions-EC23, CKV_AWS_260",
            "stack.ingress_cidrs",
        ),
        (
            own and not balancer["access_logs"],
            "Access logs of the load balancer",
            "AwsSolutions-ELB2, CKV_AWS_91",
            "extras.alb_access_logs: true",
        ),
        (
            own and not balancer["deletion_protection"],
            "Protection of the load balancer against deletion",
            "CKV_AWS_150",
            "stack.deletion_protection: true",
        ),
        (
            own and edge["waf_rules"] is None,
            "A web ACL in front of the load balancer",
            "AwsSolutions-CFR2, CKV2_AWS_28",
            "extras.waf_rules: 3",
        ),
        (
            own and bool(edge["cloudfront"]),
            "A secret header, or a VPC origin, between CloudFront and the load balancer: anybody's distribution reaches it",
            "none",
            f"{_BY_HAND}: fargate_stack/edge.py",
        ),
        (
            bool(edge["cloudfront"]) and (edge["waf_rules"] or 0) >= _RULES_WITH_RATE,
            "A rate limit at CloudFront: the one here believes X-Forwarded-For",
            "none",
            f"{_BY_HAND}: fargate_stack/edge.py",
        ),
        (
            not network["existing"] and not network["flow_logs"],
            "Flow logs of the VPC",
            "AwsSolutions-VPC7, CKV2_AWS_11",
            "extras.flow_log_gb, above 0",
        ),
        (
            network["layout"] == "public",
            "Tasks without public addresses",
            "ECS.2, CKV_AWS_333",
            "network.layout: nat or endpoints",
        ),
        (
            0 < network["nat_gateways"] < network["availability_zones"],
            "A NAT gateway in each zone",
            "none",
            f"network.nat_gateways: {network['availability_zones']}",
        ),
        (
            not config["cluster"]["existing_name"] and config["cluster"]["container_insights"] == "disabled",
            "Container Insights",
            "AwsSolutions-ECS4, CKV_AWS_65",
            "extras.container_insights: enhanced",
        ),
        (
            not config["security"]["kms_keys"],
            "Logs under a key of your own",
            "CKV_AWS_158",
            "extras.kms_keys: 1",
        ),
        (
            not application["readonly_root_filesystem"],
            "A file system of the container that nobody can write to",
            "ECS.5, CKV_AWS_336",
            "stack.readonly_root_filesystem: true",
        ),
        (application["user"] is None, "A user other than root in the container", "ECS.20", "stack.user"),
        (
            bool(image) and "@sha256:" not in image,
            "An image named by its digest",
            "none",
            "application.image, ending in @sha256:…",
        ),
        (
            application["health_check_command"] is None,
            "A health check in the container",
            "none",
            "stack.health_check_command",
        ),
        (
            not seen["standard_alarms"] + seen["high_resolution_alarms"],
            "Alarms that stop a bad deployment",
            "none",
            "extras.standard_alarms: 4",
        ),
        (seen["alarm_email"] is None, "Somebody who is told of alarms and of the budget", "none", "stack.alarm_email"),
        (
            deployment["strategy"] == "ROLLING" and deployment["minimum_healthy_percent"] < 100,
            "All tasks healthy during a deployment",
            "none",
            "service.deployment.minimum_healthy_percent: 100",
        ),
    ]


def _destroy_text(config: Config) -> str:
    region, name = config["region"], config["name"]
    first = ""
    if config["load_balancer"]["deletion_protection"]:
        first = "The load balancer is protected: set `stack.deletion_protection` to false in the scenario, export again and deploy that first."
    own = f"```\naws cloudformation delete-stack --region {region} --stack-name {name}\n```"
    stays = []
    if config["load_balancer"]["access_logs"] or (config["network"]["flow_logs"] or {}).get("destination") == "s3":
        stays.append(
            "The bucket of logs stays, and costs what is in it until its lifecycle has removed that "
            f"({_count(config['load_balancer']['s3_log_retention_days'], 'day')}); then delete it."
        )
    if config["security"]["kms_keys"]:
        stays.append("The key waits to be deleted, and can be called back until then.")
    if config["repository"]:
        stays.append(
            f"The repository is the stack `{name}-repository`; CloudFormation deletes it once it holds no image."
        )
    after = " ".join(stays) or "Nothing stays behind, not even the logs."
    return "\n\n".join(part for part in (first, own, after) if part)


def _minutes(minutes: float) -> str:
    return _count(minutes, "minute")


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _list(parts: list[str]) -> str:
    kept = [part for part in parts if part]
    return ", ".join(kept[:-1]) + (" and " if len(kept) > 1 else "") + kept[-1] if kept else ""

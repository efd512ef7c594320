"""Where logs are kept: the key that encrypts them, the bucket for those that go to S3, and the flow log of the VPC."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .config import StackConfig
from .log_config import LOG_RETENTION

_FLOW_LOG = "FlowLog"

# What cdk-nag (AwsSolutions) and Checkov find and is meant, with the reason. A finding's name says whose it is.
_OF_THE_BUCKET = {
    "AwsSolutions-S1": "A log of who reads the logs would need a bucket of its own, and so on.",
    "CKV_AWS_18": "A log of who reads the logs would need a bucket of its own, and so on.",
    "CKV_AWS_21": "A log file is written once; old versions would only be stored longer than planned.",
}
_WITHOUT_KEY = {"CKV_AWS_158": "CloudWatch Logs encrypts by itself; no key is planned."}


class LogStorage(Construct):
    """The key and the bucket for logs, each only where it is planned.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        What is logged, and for how long.
    vpc : aws_cdk.aws_ec2.IVpc or None
        The network whose flow log is made at once, where one is planned; None to leave it to `add_flow_log`.

    Attributes
    ----------
    key : aws_cdk.aws_kms.Key or None
        The key for log groups.
    bucket : aws_cdk.aws_s3.Bucket or None
        The bucket for the load balancer's access logs and for flow logs.

    Notes
    -----
    The bucket is encrypted with S3's own key: "The only server-side encryption option that's supported is Amazon
    S3-managed keys" [1]_. It has no versions, since a log file is written once, and no access log of its own, which
    would need another bucket.

    The bucket outlives the stack: CloudFormation deletes empty ones only, and emptying one takes a Lambda function. What is
    in it is gone after the retention.

    References
    ----------
    .. [1] AWS, "Enable access logs for your Application Load Balancer", read 2026,
       https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StackConfig, vpc: ec2.IVpc | None) -> None:
        super().__init__(scope, construct_id)
        self._flow_logs = config.network.flow_logs
        self.key = self._make_key() if config.security.kms_keys else None
        to_s3 = self._flow_logs is not None and self._flow_logs.destination == "s3"
        self.bucket = (
            self._make_bucket(config.load_balancer.s3_log_retention_days)
            if config.load_balancer.access_logs or to_s3
            else None
        )
        if self.bucket is not None:
            acknowledge(self.bucket, _OF_THE_BUCKET)
        if vpc is not None:
            self.add_flow_log(vpc)

    def add_flow_log(self, vpc: ec2.IVpc) -> None:
        """Log the traffic of a network, once, where that is planned.

        Parameters
        ----------
        vpc : aws_cdk.aws_ec2.IVpc
            The network.
        """
        if self._flow_logs is None or self.node.try_find_child(_FLOW_LOG) is not None:
            return
        if self.bucket is not None and self._flow_logs.destination == "s3":
            ec2.FlowLog(
                self,
                _FLOW_LOG,
                resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
                traffic_type=ec2.FlowLogTrafficType.ALL,
                destination=ec2.FlowLogDestination.to_s3(self.bucket),
            )
            return
        log_group = logs.LogGroup(
            self,
            "FlowLogs",
            retention=getattr(logs.RetentionDays, LOG_RETENTION[self._flow_logs.retention_days]),
            log_group_class=getattr(logs.LogGroupClass, self._flow_logs.log_class),
            encryption_key=self.key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        if self.key is None:
            acknowledge(log_group, _WITHOUT_KEY)
        ec2.CfnFlowLog(
            self,
            _FLOW_LOG,
            resource_type="VPC",
            resource_id=vpc.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=_without_streams(log_group),
            deliver_logs_permission_arn=self._make_role(log_group).role_arn,
        )

    def _make_key(self) -> kms.Key:
        """Make the key, by AWS's rule for log groups [1]_.

        References
        ----------
        .. [1] AWS, "Encrypt log data in CloudWatch Logs using AWS Key Management Service", read 2026,
           https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        stack = cdk.Stack.of(self)
        key = kms.Key(
            self,
            "Key",
            description="Logs of the service",
            enable_key_rotation=True,
            # A key that stays is billed. This one can be had back for 30 days.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisAccount",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
                actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                            service="logs",
                            resource="log-group",
                            resource_name="*",
                            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                        )
                    }
                },
            )
        )
        return key

    def _make_bucket(self, retention_days: int) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            # Whatever service delivers a log, it belongs to the bucket's owner.
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Retention",
                    expiration=cdk.Duration.days(retention_days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def _make_role(self, log_group: logs.LogGroup) -> iam.Role:
        """Make the role of the flow log, for this account only, and for its log group only [1]_.

        References
        ----------
        .. [1] AWS, "IAM role for publishing flow logs to CloudWatch Logs", read 2026,
           https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
        """
        stack = cdk.Stack.of(self)
        flow_logs = stack.format_arn(service="ec2", resource="vpc-flow-log", resource_name="*")
        return iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": flow_logs},
                },
            ),
            inline_policies={
                "Deliver": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                            resources=[log_group.log_group_arn],
                        )
                    ]
                )
            },
        )


def acknowledge(resource: Construct, findings: Mapping[str, str]) -> None:
    """Say that what a linter finds is meant, where the linter looks for it.

    Parameters
    ----------
    resource : constructs.Construct
        The resource.
    findings : Mapping[str, str]
        Rules of cdk-nag (``AwsSolutions-...``) and of Checkov (``CKV_...``), with the reasons.
    """
    nag = {rule: reason for rule, reason in findings.items() if rule.startswith("AwsSolutions-")}
    cdk.Validations.of(resource).acknowledge(*(cdk.Acknowledgment(id=id_, reason=why) for id_, why in nag.items()))
    checkov = [{"id": rule, "comment": reason} for rule, reason in findings.items() if rule not in nag]
    if checkov:
        resource.node.default_child.add_metadata("checkov", {"skip": checkov})


def _without_streams(log_group: logs.LogGroup) -> str:
    """Take the ``:*`` from the ARN of a log group: a destination has none."""
    arn = cdk.Stack.of(log_group).format_arn(
        service="logs",
        resource="log-group",
        resource_name=log_group.log_group_name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return str(arn)

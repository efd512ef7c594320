"""Types of resources: those that cost nothing by themselves, and what others are called; any that stands in neither is taken to cost something."""

from __future__ import annotations

#: Services whose resources cost nothing by themselves, or only by requests so few that no stack is priced for them.
_FREE_PREFIXES = (
    "AWS::IAM::",
    "AWS::CDK::",
    "AWS::ServiceDiscovery::Service",
    "AWS::ResourceGroups::",
    "AWS::CodeDeploy::",
    "AWS::ApplicationAutoScaling::",
    "AWS::SNS::",
    "AWS::Budgets::",
    "AWS::CE::",
    "AWS::ServiceCatalogAppRegistry::",
)
#: AWS, "Amazon VPC pricing", "AWS Certificate Manager pricing" and the pages of the others, read 2026.
_FREE = frozenset({
    *(
        f"AWS::EC2::{name}"
        for name in (
            "VPC", "Subnet", "RouteTable", "Route", "SubnetRouteTableAssociation", "InternetGateway", "VPCGatewayAttachment",
            "EgressOnlyInternetGateway", "SecurityGroup", "SecurityGroupIngress", "SecurityGroupEgress", "NetworkAcl", "NetworkAclEntry",
            "SubnetNetworkAclAssociation", "VPCCidrBlock", "SubnetCidrBlock", "DHCPOptions", "VPCDHCPOptionsAssociation", "PrefixList",
            "EIPAssociation", "VPCPeeringConnection", "VPCEndpointServicePermissions", "LaunchTemplate", "KeyPair", "InstanceConnectEndpoint",
        )
    ),
    *(f"AWS::ElasticLoadBalancingV2::{name}" for name in ("Listener", "ListenerRule", "TargetGroup", "ListenerCertificate")),
    *(f"AWS::ECS::{name}" for name in ("Cluster", "TaskDefinition", "ClusterCapacityProviderAssociations", "PrimaryTaskSet", "CapacityProvider")),
    *("AWS::ECR::RepositoryPolicy", "AWS::ECR::LifecyclePolicy", "AWS::ECR::PullThroughCacheRule", "AWS::ECR::RegistryPolicy"),
    *("AWS::Logs::LogGroup", "AWS::Logs::LogStream", "AWS::Logs::ResourcePolicy", "AWS::Logs::SubscriptionFilter"),
    *("AWS::Logs::QueryDefinition", "AWS::SSM::Parameter", "AWS::SSM::Document", "AWS::CertificateManager::Certificate"),
    *("AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup", "AWS::KMS::Alias", "AWS::S3::BucketPolicy"),
    *("AWS::SecretsManager::ResourcePolicy", "AWS::SecretsManager::SecretTargetAttachment"),
    *("AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::IPSet", "AWS::WAFv2::RegexPatternSet", "AWS::WAFv2::RuleGroup"),
    *("AWS::CloudFront::CachePolicy", "AWS::CloudFront::OriginRequestPolicy", "AWS::CloudFront::ResponseHeadersPolicy"),
    *("AWS::CloudFront::OriginAccessControl", "AWS::CloudFront::CloudFrontOriginAccessIdentity", "AWS::CloudFront::VpcOrigin"),
    *("AWS::Lambda::Permission", "AWS::Lambda::LayerVersion", "AWS::Lambda::Version", "AWS::Lambda::Alias"),
    *("AWS::RDS::DBSubnetGroup", "AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup", "AWS::RDS::OptionGroup"),
    *("AWS::ElastiCache::SubnetGroup", "AWS::ElastiCache::ParameterGroup", "AWS::Events::Rule", "AWS::EFS::MountTarget"),
    *("AWS::ServiceDiscovery::HttpNamespace", "AWS::CloudFormation::WaitConditionHandle", "AWS::CloudFormation::WaitCondition"),
    *("AWS::CloudFormation::Stack", "AWS::SQS::QueuePolicy", "AWS::ElasticLoadBalancingV2::TrustStoreRevocation"),
})  # fmt: skip
#: What a reader calls types that often stand beside a service.
_SPOKEN = {
    "AWS::RDS::DBInstance": "A database",
    "AWS::RDS::DBCluster": "A database cluster",
    "AWS::DynamoDB::Table": "A DynamoDB table",
    "AWS::Lambda::Function": "A Lambda function",
    "AWS::EFS::FileSystem": "A file system",
    "AWS::ElastiCache::ReplicationGroup": "A cache",
    "AWS::ElastiCache::CacheCluster": "A cache",
    "AWS::ElastiCache::ServerlessCache": "A cache",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Another load balancer, with its hours and capacity units",
    "AWS::ElasticLoadBalancingV2::TrustStore": "A trust store",
    "AWS::EC2::EIP": "A public address of its own",
    "AWS::EC2::Instance": "An EC2 instance",
    "AWS::EC2::VPCEndpoint": "An endpoint",
    "AWS::EC2::TransitGateway": "A transit gateway",
    "AWS::EC2::TransitGatewayAttachment": "An attachment to a transit gateway",
    "AWS::S3::Bucket": "A bucket, with what it stores",
    "AWS::SQS::Queue": "A queue",
    "AWS::SecretsManager::Secret": "A secret that the tasks do not read",
    "AWS::CloudFront::Distribution": "A distribution that does not lead to the load balancer",
    "AWS::CloudWatch::InsightRule": "A Contributor Insights rule",
    "AWS::Logs::MetricFilter": "A metric filter, with the metrics of its own that it makes",
    "AWS::CloudWatch::CompositeAlarm": "A composite alarm",
    "AWS::CloudWatch::AnomalyDetector": "An anomaly detector",
    "AWS::ServiceDiscovery::PrivateDnsNamespace": "A private DNS namespace, which has a hosted zone",
    "AWS::ServiceDiscovery::PublicDnsNamespace": "A public DNS namespace, which has a hosted zone",
    "AWS::ECS::ExpressGatewayService": "A service of ECS Express Mode",
    "AWS::WAFv2::LoggingConfiguration": "Logs of the web ACL",
    "AWS::EC2::FlowLog": "Flow logs",
    "AWS::AutoScaling::AutoScalingGroup": "Instances of an Auto Scaling group",
    "AWS::ApiGatewayV2::Api": "An API",
    "AWS::Route53::HealthCheck": "A health check of Route 53",
    "AWS::ECS::TaskSet": "A task set, with its tasks",
    "AWS::GlobalAccelerator::Accelerator": "An accelerator",
}


def is_free(kind: str) -> bool:
    """Say whether a resource costs nothing by itself.

    Parameters
    ----------
    kind : str
        Its type.

    Returns
    -------
    bool
        False for a type that is not known.

    Examples
    --------
    >>> is_free("AWS::EC2::Subnet"), is_free("AWS::RDS::DBInstance"), is_free("AWS::Quantum::Leap")
    (True, False, False)
    """
    return kind in _FREE or kind.startswith(_FREE_PREFIXES)


def spoken(kind: str) -> str:
    """Say what a type is called.

    Parameters
    ----------
    kind : str
        The type.

    Returns
    -------
    str
        A few words; nothing for most.
    """
    return _SPOKEN.get(kind, "")

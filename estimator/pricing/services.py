"""Names of AWS's services, by their code in the price list."""

from __future__ import annotations

from estimator.pricing.catalog import SAVINGS_PLANS, SPOT_FEED

#: Names of AWS's offers, to read; one that is not here stands as it is.
SERVICES = {
    "AmazonECS": "AWS Fargate",
    SPOT_FEED: "Fargate Spot",
    SAVINGS_PLANS: "Compute Savings Plans",
    "AWSELB": "Elastic Load Balancing",
    "AmazonEC2": "NAT gateways",
    "AmazonVPC": "Amazon VPC",
    "AWSDataTransfer": "Data transfer",
    "AmazonCloudWatch": "Amazon CloudWatch",
    "awswaf": "AWS WAF",
    "AmazonCloudFront": "Amazon CloudFront",
    "CloudFrontPlans": "CloudFront flat-rate plans",
    "AmazonS3": "Amazon S3",
    "AmazonECR": "Amazon ECR",
    "AWSSecretsManager": "AWS Secrets Manager",
    "awskms": "AWS KMS",
    "AmazonRoute53": "Amazon Route 53",
}

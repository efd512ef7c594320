"""Templates priced as they stand: any CloudFormation template or cdk.out with an ECS service on Fargate behind a load balancer, and a scenario's load."""

from estimator.repricing.reading import Fact as Fact
from estimator.repricing.reading import Gap as Gap
from estimator.repricing.repricer import Repriced as Repriced
from estimator.repricing.repricer import reprice as reprice

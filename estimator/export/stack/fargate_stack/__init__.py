"""One AWS Fargate web service behind a load balancer, built from the numbers in ``stack_config.json``."""

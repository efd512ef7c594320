"""What things cost: rates by region, from dated snapshots of the AWS Price List."""

"""What would be deployed: sizes, scaling policies, network, the candidate."""

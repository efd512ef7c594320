"""The CDK app itself, which an export copies out without this file; it imports nothing of `estimator`."""

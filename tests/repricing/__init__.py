"""Tests of estimator.repricing."""

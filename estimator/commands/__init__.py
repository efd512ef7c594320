"""The commands of the command line, one module for each room; `estimator.cli` puts them together."""

"""The service in time: tasks, metrics and scaling decisions; see ``docs/simulation.md``."""

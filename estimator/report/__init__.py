"""Figures and tables of a plan, used by notebook and app alike."""

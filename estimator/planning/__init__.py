"""Which candidate, and why not the others."""

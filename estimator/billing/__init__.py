"""What is billed, and how it is metered."""

"""One module a stage: what it depends on, and one action."""

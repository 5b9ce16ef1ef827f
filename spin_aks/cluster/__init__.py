"""Talking to Kubernetes: apply, prune, watch, explain."""

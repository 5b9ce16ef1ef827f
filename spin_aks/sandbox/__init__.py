"""An embedded registry and cluster to try the tool on. Only its command imports it; it imports nothing else of ours."""

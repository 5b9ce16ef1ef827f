"""Takes a Spin application to a running service on Azure Kubernetes Service."""

__version__ = "0.1.0"

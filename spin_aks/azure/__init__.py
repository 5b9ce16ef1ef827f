"""Talking to Azure, one module a service. The SDK is touched only here, and imported by the stage that needs it."""

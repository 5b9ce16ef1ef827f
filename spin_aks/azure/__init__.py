"""Talking to Azure, one module a service. The SDK is touched only here, and imported by the stage that needs it.

`session.Session` is one sign-in; each service's functions take it first and give frozen values, ids as
`arm.ResourceId`. What a request says (a body, a list of grants) is decided by one function and sent by another, so
that a plan can show it first. Every failure is an `errors.AzureError` (`problems.py`, `refusals.py`).
"""

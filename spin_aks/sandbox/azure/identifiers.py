"""The ids of what every sandbox's Azure begins with: a tenant, a subscription, and who signs in."""

from __future__ import annotations

TENANT = "5a4db0c5-7e1a-4000-8000-000000000001"
SUBSCRIPTION = "5a4db0c5-5b5c-4000-8000-000000000002"
CLIENT = "5a4db0c5-c11e-4000-8000-000000000003"
OBJECT = "5a4db0c5-0b1e-4000-8000-000000000004"

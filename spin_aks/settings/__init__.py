"""The inputs of the pipeline: one table behind file, flag, environment variable and prompt."""

from spin_aks.settings.table import DEFAULTS, ROWS, Settings, Store

__all__ = ["DEFAULTS", "ROWS", "Settings", "Store"]

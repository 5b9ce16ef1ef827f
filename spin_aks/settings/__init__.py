"""The inputs of the pipeline: one table behind file, flag, environment variable and prompt."""

from spin_aks.settings.stores import Store
from spin_aks.settings.table import DEFAULTS, ROWS, Settings

__all__ = ["DEFAULTS", "ROWS", "Settings", "Store"]

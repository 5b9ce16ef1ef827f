"""Prints the pipeline of the application in the current folder as JSON: each stage with the files and values that it
depends on, so that others can be measured on the very same graph.
"""

import json
import sys

import dodo_spin_aks
from spin_aks import context

stages = [
    {
        "name": stage.name,
        "file_dep": sorted(set(stage.files())),
        "targets": list(stage.targets),
        "task_dep": list(stage.depends_on),
        "values": dict(stage.values),
    }
    for stage in dodo_spin_aks.stages(context.current())
]
json.dump(stages, sys.stdout)

"""Values in, text out: nothing here reads a file, asks a network or looks at the clock.

A generator's version is raised whenever it makes other text of the same input, so that its stage runs again.
"""

KUBE_VERSION = 1
RENDER_VERSION = 1

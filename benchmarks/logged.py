"""Runs the command line with every HTTP request said on stderr: `logged.py COMMAND [FLAG...]`."""

import logging
import sys

from spin_aks.cli import run

logging.basicConfig(format="%(name)s %(message)s")
logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
sys.exit(run(sys.argv[1:]))

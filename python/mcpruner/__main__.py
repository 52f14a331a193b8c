"""``python -m mcpruner`` is the command ``mcpruner``."""

import sys

from mcpruner.cli import main

sys.exit(main())

"""The suite tests the soak itself, and runs a short one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["shared_fixtures"]

"""``python -m review``: what a change would do, and doing it."""

from __future__ import annotations

import sys

from review.cli import main

sys.exit(main())

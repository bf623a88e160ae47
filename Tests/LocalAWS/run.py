"""`python Tests/LocalAWS/run.py`: the same as `python -m localaws` without setting PYTHONPATH."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from localaws.__main__ import main  # noqa: E402

if __name__ == "__main__":
    main()

"""Arguments in, the rooms in order, exit code out."""

import sys

from model.command import main

if __name__ == "__main__":
    sys.exit(main())

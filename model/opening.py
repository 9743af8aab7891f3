"""Open a finished workbook in the program that the computer has for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def open_workbook(path: Path) -> bool:
    """Open a file as a double click would; return whether there is something to open it with."""
    try:
        if sys.platform == "win32":
            os.startfile(path)
        else:
            opener = "open" if sys.platform == "darwin" else "xdg-open"
            subprocess.Popen([opener, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    except OSError:
        return False
    return True

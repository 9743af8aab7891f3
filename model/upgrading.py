"""The command ``upgrade``: an older book in, a copy with what is new out, told in sentences."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from model.console import Log
from model.upgrade import upgrade_book, upgrade_name
from model.workbook import BookError, read_book


def upgrade_from_words(words: Sequence[str]) -> bool:
    """Upgrade the book that the command line names; return whether that could be done."""
    parser = argparse.ArgumentParser(prog="run.py upgrade", description="Write a copy of an older workbook with what is new in it.")
    parser.add_argument("book", type=Path, help="workbook to bring up to date; it stays as it is")
    parser.add_argument("new_book", nargs="?", type=Path, help="workbook to write (default: beside the old one, named after the version)")
    options = parser.parse_args(words)
    log = Log()
    target = options.new_book or upgrade_name(options.book)
    if target.suffix.lower() != options.book.suffix.lower():
        log.error(f"{target.name} must end in {options.book.suffix}, as {options.book.name} does.")
        return False
    try:
        outcome = upgrade_book(read_book(options.book), options.book, target)
    except BookError as error:
        log.error(str(error.finding))
        return False
    except FileExistsError as error:
        log.error(str(error))
        return False
    except OSError as error:
        log.error(f"{target} cannot be written: {error.strerror}. Choose another place.")
        return False
    for sentence in outcome.sentences:
        log.say(sentence)
    log.answer(f"Upgraded workbook written: {outcome.path}" if outcome.path else f"{options.book} is up to date; nothing was written.")
    return True

"""Words as planners type them: stray spaces, full-width characters, near misses."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

_WIDE = re.compile("[\u3000\uff00-\uffef]+")
_FULL_WIDTH_DIGITS = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_IN_CODES = {**_INVISIBLE, 0x3001: ",", 0xFF64: ","}
"""What is dropped from codes, and the ideographic commas."""

_MINUS_SIGNS = {0x2212: "-", 0x2013: "-", 0xFF0D: "-"}
_CLEAN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_SHOWN = 60


def fold_code(text: str) -> str:
    """Return a code with full-width characters narrowed and stray spaces removed.

    Accents are composed; superscripts and fractions keep their form.

    Examples
    --------
    >>> fold_code("　ＡＢＣ_１ ")
    'ABC_1'
    """
    if text.isascii():
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text.translate(_IN_CODES))
    narrow = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), composed)
    return " ".join(narrow.split())


def fold_prose(text: str) -> str:
    r"""Return free text with full-width digits narrowed and outer spaces removed.

    Punctuation and inner spacing stay as typed: in a Japanese sentence they are no mistake.

    Examples
    --------
    >>> fold_prose(" ２０３１年　予定 ")
    '2031年\u3000予定'
    """
    return text.translate(_FULL_WIDTH_DIGITS | _INVISIBLE).strip()


def clean_number(text: str) -> float | None:
    """Return the number that a text spells without any doubt, None if there is doubt.

    Examples
    --------
    >>> clean_number(" １２ "), clean_number("12 t"), clean_number("1,200")
    (12.0, None, None)
    """
    folded = fold_code(text.translate(_MINUS_SIGNS))
    return float(folded) if _CLEAN_NUMBER.fullmatch(folded) else None


def number_text(number: float) -> str:
    """Return a number as a planner would type it: no ``.0`` on whole numbers."""
    if math.isfinite(number) and number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.10g}"


def tonnes_words(tonnes: float) -> str:
    """Return tonnes with sensible digits.

    Examples
    --------
    >>> tonnes_words(1234.5), tonnes_words(3.21)
    ('1,234 t', '3.2 t')
    """
    return f"{tonnes:,.0f} t" if tonnes >= 10 else f"{tonnes:,.2g} t"


def show(value: object) -> str:
    """Return a cell value for a message: text in quotes, numbers bare, blanks named."""
    if isinstance(value, float):
        return "a blank" if math.isnan(value) else number_text(value)
    if value is None or value == "":
        return "a blank"
    text = str(value)
    return f"'{text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + '…'}'"


def listing(names: Iterable[object], limit: int = 8) -> str:
    """Return names parted by commas, the tail counted when there are more than `limit`."""
    texts = [str(name) for name in names]
    if len(texts) <= limit:
        return ", ".join(texts)
    return f"{', '.join(texts[:limit])} and {len(texts) - limit} more"


def joined(texts: Sequence[str]) -> str:
    """Return texts as part of a sentence.

    Examples
    --------
    >>> joined(["A", "B", "C"]), joined(["A"]), joined([])
    ('A, B and C', 'A', '')
    """
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the name most like `word`, "" where none is alike.

    A name that differs in case alone is the nearest of all.

    Examples
    --------
    >>> nearest("capasity", ["capacity", "capex"]), nearest("jpn", ["USA", "JPN"]), nearest("x", ["USA"])
    ('capacity', 'JPN', '')
    """
    by_lower: dict[str, str] = {}
    for name in names:
        by_lower.setdefault(name.lower(), name)
    close = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else ""


def suggest(word: str, names: Iterable[str], otherwise: str) -> str:
    """Return ``Did you mean 'x'?`` if a name is near, else `otherwise`."""
    near = nearest(word, names)
    return f"Did you mean '{near}'?" if near else otherwise

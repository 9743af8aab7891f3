"""The ledger that keeps, rule by rule, what was tested and the worst violation found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from model.result_schema import RESULT_BY_NAME
from model.verification_rules import RULE_BY_NAME, RULES

Sense = Literal["<=", ">=", "=="]
Where = Callable[..., str]

_SENTENCE: dict[Sense, str] = {
    "<=": "{found:,.9g} found, at most {bound:,.9g} allowed",
    ">=": "{found:,.9g} found, at least {bound:,.9g} needed",
    "==": "{found:,.9g} found, {bound:,.9g} recomputed",
}


_NOISE = 1e-9
"""Violations up to this come from rounding in the last digits and are not worth a place."""


@dataclass
class _Tally:
    tested: int = 0
    failed: int = 0
    worst: float = 0.0
    excess: float = 0.0
    tolerance: float | None = None
    where: str = ""


@dataclass(frozen=True)
class Ledger:
    """Collects, rule by rule, what was tested and the worst violation."""

    _tallies: dict[str, _Tally] = field(default_factory=lambda: {rule.name: _Tally() for rule in RULES})

    def compare(
        self,
        rule: str,
        found: ArrayLike,
        sense: Sense,
        bound: ArrayLike,
        where: Where,
        *,
        among: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        slack: ArrayLike = 0.0,
    ) -> None:
        """Test `found` against `bound`, element by element.

        Parameters
        ----------
        rule
            Name in the register; KeyError if it is not there.
        found, bound
            Arrays of one shape, or scalars that broadcast to it. What is not finite is an infinite violation.
        where
            Called with the position of an element, gives its place in words.
        among
            Mask of the elements that are tested; all of them by default.
        scale
            Size for the relative tolerance; the larger of `found` and `bound` by default.
        slack
            Extra tolerance by element, where the rule's own does not fit (ratios of small numbers).
        """
        left, right = np.broadcast_arrays(np.asarray(found, dtype=float), np.asarray(bound, dtype=float))
        mask = np.ones(left.shape, dtype=bool) if among is None else np.broadcast_to(np.asarray(among, dtype=bool), left.shape)
        with np.errstate(invalid="ignore"):
            gap = left - right
            violation = {"<=": gap, ">=": -gap, "==": np.abs(gap)}[sense]
            size = np.maximum(np.abs(left), np.abs(right)) if scale is None else np.abs(np.asarray(scale, dtype=float))
        violation = np.where(np.isfinite(left) & np.isfinite(right), violation, np.inf)
        size = np.where(np.isfinite(size), size, 0.0)
        allowed = np.broadcast_to(
            RULE_BY_NAME[rule].absolute + RULE_BY_NAME[rule].relative * size + np.asarray(slack, dtype=float), left.shape
        )
        position = self._enter(rule, violation, allowed, mask)
        if position is not None:
            sentence = _SENTENCE[sense].format(found=float(left[position]), bound=float(right[position]))
            self._tallies[rule].where = f"{where(*position)}: {sentence}"

    def forbid(self, rule: str, offends: ArrayLike, where: Where) -> None:
        """Record a test of one row for each element of the mask `offends`; a true one breaks the rule."""
        mask = np.asarray(offends, dtype=bool)
        position = self._enter(rule, mask.astype(float), np.zeros(mask.shape), np.ones(mask.shape, dtype=bool))
        if position is not None:
            self._tallies[rule].where = where(*position)

    def _enter(
        self, rule: str, violation: NDArray[np.float64], allowed: NDArray[np.float64], mask: NDArray[np.bool_]
    ) -> tuple[int, ...] | None:
        """Add one test to a rule; return the position of its worst element where that is the rule's worst so far."""
        tally = self._tallies[rule]
        tally.tested += int(mask.sum())
        if not mask.any():
            return None
        excess = np.where(mask, violation - allowed, -np.inf)
        tally.failed += int((excess > 0).sum())
        position = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), excess.shape))
        worst = float(violation[position])
        if tally.tolerance is None or float(excess[position]) > tally.excess:
            tally.excess, tally.worst, tally.tolerance = float(excess[position]), max(worst, 0.0), float(allowed[position])
            tally.where = ""
            return position if worst > _NOISE else None
        return None

    def table(self) -> pd.DataFrame:
        """Return one row for each rule of the register, in the columns of the result table ``checks``."""
        rows = []
        for rule in RULES:
            tally = self._tallies[rule.name]
            tolerance = rule.absolute if tally.tolerance is None else tally.tolerance
            verdict = "FAIL" if tally.failed else "pass"
            rows.append((rule.name, rule.description, tally.tested, tally.worst, rule.unit, tally.where, tolerance, verdict))
        return pd.DataFrame(rows, columns=RESULT_BY_NAME["checks"].names)

    def failures(self) -> list[str]:
        """Return a sentence for each rule that failed."""
        sentences = []
        for rule in RULES:
            tally = self._tallies[rule.name]
            if tally.failed:
                rows = "1 row fails" if tally.failed == 1 else f"{tally.failed:,} rows fail"
                sentences.append(f"{rule.name}: {rule.description} Not so at {tally.where} [{rule.unit}; {rows} of {tally.tested:,}].")
        return sentences

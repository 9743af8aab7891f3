"""Sums of coefficient x variable: the form in which the formulation writes its rows, costs and objective."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression


class LinearSum(LinearExpression):
    """Linear expression of Pyomo that keeps its coefficients and variables as two lists.

    Pyomo's own class makes an object a term, which costs more than all else in a model of many terms.
    Here these are made when Pyomo walks through the expression, to print or evaluate it.
    :func:`model.matrix.compile_model` reads the two lists. A variable may occur more than once.
    """

    __slots__ = ("coefficients", "variables")

    def __init__(self, coefficients: list[float] | None = None, variables: list[object] | None = None) -> None:
        self.coefficients = [] if coefficients is None else coefficients
        self.variables = [] if variables is None else variables

    @property
    def _args_(self) -> list[MonomialTermExpression]:
        return list(map(MonomialTermExpression, zip(self.coefficients, self.variables, strict=True)))

    @property
    def _nargs(self) -> int:
        return len(self.coefficients)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Pyomo chooses what to do with an expression by its class, so this one names the class that it stands for."""
        return LinearExpression


def linear(terms: Iterable[tuple[float, object]]) -> LinearSum:
    """Return the sum of coefficient x variable."""
    pairs = list(terms)
    return LinearSum([coefficient for coefficient, _ in pairs], [variable for _, variable in pairs])


def each(coefficient: float, variables: Iterable[object]) -> LinearSum:
    """Return the sum of variables that have one coefficient in common."""
    listed = list(variables)
    return LinearSum([coefficient] * len(listed), listed)


def joined(*sums: LinearSum, scale: float = 1.0) -> LinearSum:
    """Return the sum of sums, times `scale`."""
    coefficients, variables = [], []
    for part in sums:
        coefficients += part.coefficients
        variables += part.variables
    return LinearSum(coefficients if scale == 1.0 else [scale * coefficient for coefficient in coefficients], variables)


def members(variable: Mapping) -> dict:
    """Return the members of a variable in a plain dictionary: a look-up in a Pyomo variable costs ten times as much."""
    return dict(variable.items())

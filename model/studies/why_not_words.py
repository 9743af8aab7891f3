"""What is known of a host that is forced, lost or brought in, and how it is said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.report_words import SHOWN
from model.studies.break_even import BreakEven
from model.studies.plan_figures import host_names
from model.tables import Tables

NOT_THE_CHEAPEST = "So the plan of this run is not the cheapest: give it more time (time_limit on sheet settings)."


@dataclass(frozen=True)
class Answer:
    """What a host costs when forced, or when lost.

    Parameters
    ----------
    barred
        What keeps every such plan from existing; empty where cost alone does.
    extra, gap
        MUSD against the run's plan; NaN without a plan.
    is_named
        Whether `barred` names a rule or figure of the book.
    lifted
        Rules that force a plant at a host that is lost; the plan without the host is free of them.
    """

    host: str
    barred: tuple[str, ...]
    extra: float = math.nan
    gap: float = math.nan
    plants: str = ""
    verdict: str = ""
    is_named: bool = True
    lifted: tuple[str, ...] = ()


def _least(answer: Answer) -> float:
    """Return what the extra cost is proven to be at least, MUSD; minus infinity where nothing is proven."""
    least = answer.extra - answer.gap
    return -math.inf if math.isnan(least) else least


def _is_settled(answer: Answer, gap: float) -> bool:
    """Whether the extra cost is known to the gap that was asked for."""
    return answer.gap <= max(gap, SHOWN)


def _amount(answer: Answer, gap: float, sign: str = "") -> str:
    """Return an extra cost, and how far it is proven where that is less than was asked for."""
    if _is_settled(answer, gap):
        return f"{answer.extra:{sign},.1f} MUSD"
    least = _least(answer)
    proven = f"proven to {least:{sign},.1f}" if math.isfinite(least) else "nothing is proven"
    return f"at most {answer.extra:{sign},.1f} MUSD ({proven})"


def in_the_way_of_losing(answer: Answer) -> str:
    """Return what losing a host comes down to, for its row."""
    if answer.barred:
        return "; ".join(answer.barred)
    if not answer.lifted:
        return "cost"
    rules = f"{' and '.join(answer.lifted)}, lifted here"
    return f"cost, and {rules}" if answer.extra > SHOWN else rules


def _doubtful(order: Sequence[Answer]) -> list[str]:
    """Return the hosts that may be nearer than the first, as their costs are not proven well enough or not known at all."""
    return [each.host for each in order[1:] if (_least(each) < order[0].extra - SHOWN if not each.barred else bool(each.verdict))]


def sentences(tables: Tables, order: Sequence[Answer], lost: Sequence[Answer], asked: str, gap: float) -> Iterator[str]:
    """Yield what the rows say.

    Parameters
    ----------
    order
        Hosts left out, nearest first, those that are barred last.
    asked
        The plant that was asked for, in words.
    gap
        To which costs were to be proven, MUSD.
    """
    free = [answer for answer in order if not answer.barred]
    if free:
        cheap = free[0]
        yield (
            f"The nearest host left out is {host_names(tables, [cheap.host])}: a plant of {asked} there adds {_amount(cheap, gap)} to the plan. "
            f"{_worth(cheap, gap)}"
        )  # fmt: skip
        if doubtful := _doubtful(order):
            yield f"That it is the nearest is not proven: a plant in {host_names(tables, doubtful)} may add less."
        close = [answer for answer in free if answer.extra - cheap.extra <= max(1.0, cheap.gap)]
        if len(close) > 1:
            yield (
                f"{len(close)} hosts lie within {max(1.0, cheap.gap):,.1f} MUSD of it ({host_names(tables, [a.host for a in close])}): "
                "let ownership, permits and politics decide among them, not this figure."
            )
    ruled = [answer for answer in order if answer.barred and answer.is_named and not answer.verdict]
    if ruled:
        yield f"{len(ruled)} {'is' if len(ruled) == 1 else 'are'} barred by a rule or figure of the book, whatever it costs; the column in_the_way names its cell: change it there to ask again."
    unnamed = [answer.host for answer in order if answer.barred and not answer.is_named]
    if unnamed:
        yield f"No plan holds a plant in {host_names(tables, unnamed)}, but no single rule or figure is known to be in the way."
    yield from (_of_losing(tables, answer, gap) for answer in lost)


def _worth(answer: Answer, gap: float) -> str:
    """Return what the extra cost of the nearest host means."""
    if answer.extra < -max(gap, SHOWN):
        return NOT_THE_CHEAPEST
    if answer.extra <= SHOWN:
        return "It costs no more than the plan of this run, within the gap: take it or leave it on other grounds."
    if _is_settled(answer, gap):
        return "That is the least that choosing it for another reason than cost must be worth."
    return "The least that choosing it for another reason than cost must be worth is no more than that."


def _of_losing(tables: Tables, answer: Answer, gap: float) -> str:
    """Return what the loss of a host means."""
    name, rules = host_names(tables, [answer.host]), " and ".join(answer.lifted)
    if answer.barred:
        return f"Without {name}{f', and with {rules} lifted' if rules else ''}: {'; '.join(answer.barred)}."
    then = "no plant is built" if answer.plants == "none" else f"the plants are {answer.plants}"
    if rules and answer.extra <= SHOWN:
        less = f"{'' if _is_settled(answer, gap) else 'at least '}{-answer.extra:,.1f} MUSD less" if answer.extra < -SHOWN else "no more"
        return f"{name} stands by {rules}: with the host lost and that lifted the plan costs {less}; then {then}."
    loss = f"Losing {name}{f', with {rules} lifted too,' if rules else ''} costs {_amount(answer, gap)}; then {then}."
    if answer.extra < -max(gap, SHOWN):
        return f"{loss} {NOT_THE_CHEAPEST}"
    if answer.extra <= SHOWN:
        return loss
    if _is_settled(answer, gap):
        return f"{loss} Terms asked for the site should cost less than that."
    least = _least(answer)
    return f"{loss} Terms asked for the site should cost less than {least:,.1f} MUSD." if least > SHOWN else loss


def headlines(
    tables: Tables, order: Sequence[Answer], lost: Sequence[Answer], break_evens: Sequence[BreakEven], asked: str, gap: float
) -> Iterator[str]:
    """Yield what belongs on the first page; parameters as for `sentences`."""
    if order and not order[0].barred:
        first = order[0]
        doubt = " (order not proven)" if _doubtful(order) else ""
        text = f"Nearest host left out{doubt}: {host_names(tables, [first.host])}, {_amount(first, gap, '+')} for {asked}"
        found = [row for row in break_evens if row.host == first.host and _is_sure(row) and row.today]
        if found:
            least = min(found, key=lambda row: abs(row.value / row.today - 1))
            text += f"; it comes in if its {_in_words(least)}"
        yield text + "."
    # what the loss of a host that a rule forces costs is not the host's alone
    dear = [answer for answer in lost if not answer.barred and not answer.lifted and answer.extra > SHOWN]
    if dear:
        worst = max(dear, key=lambda answer: answer.extra)
        yield f"Losing {host_names(tables, [worst.host])} would cost {_amount(worst, gap)}."


def _is_sure(row: BreakEven) -> bool:
    """Whether a break-even was found, verified and proven on both sides."""
    return math.isfinite(row.value) and row.verdict == "passed" and (row.comes_in, row.stays_out) == ("yes", "yes")


def _in_words(row: BreakEven) -> str:
    """Return a break-even in words, such as "capex factor falls below 0.78 x (now 0.85)"."""
    verb = "rises above" if row.limit > row.today else "falls below"
    if row.figure.words.startswith("duties"):
        verb = verb.replace("rises", "rise").replace("falls", "fall")
    if row.figure.unit == "share/y":
        return f"{row.figure.words} {verb} {row.value:.2%} (now {row.today:.2%})".replace("%", " %")
    return f"{row.figure.words} {verb} {row.value:.3g} {row.figure.unit} (now {row.today:.3g})"


def break_even_sentences(tables: Tables, rows: Sequence[BreakEven]) -> Iterator[str]:
    """Yield what brings in each host, what does not, and how far that is known."""
    for host in dict.fromkeys(row.host for row in rows):
        own = [row for row in rows if row.host == host]
        found = [row for row in own if _is_sure(row)]
        doubtful = [row.figure.words for row in own if math.isfinite(row.value) and not _is_sure(row)]
        name = host_names(tables, [host])
        if found:
            yield f"{name} comes into the least-cost plan if its {', or its '.join(_in_words(row) for row in found)}. These are what to negotiate for."
        if doubtful:
            yield f"{name}: what was found for {', '.join(doubtful)} is not proven on both sides; read its row before it is used."
        if any(row.answer.startswith("comes in as it stands") for row in own):
            yield f"{name} is as good as the hosts of the plan, within the gap: nothing has to change for it to come in."
        never = [row.figure.words for row in own if row.answer.startswith("no value")]
        if never:
            yield f"{name}: no value within its limits of {', '.join(never)} alone brings it in; do not spend effort there."
    if not any(_is_sure(row) for row in rows):
        return
    yield (
        "Each break-even is found to 1 % of the figure. Past it a plan with a plant at the host is known that is proven to be cheaper than every "
        "plan without; short of it, it is proven that none is cheaper by more than costs are proven to."
    )
    yield "At the break-even plans with and without the host cost the same; within the band they differ by less than costs are proven to."
    yield "The plant that comes in has the size that suits the plan, which may be smaller than the one that the sheet why_not asks for."

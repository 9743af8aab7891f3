"""What is said of hosts forced and lost, on answers written down by hand."""

from __future__ import annotations

from model.studies.break_even import BreakEven
from model.studies.host_changes import FIGURES
from model.studies.why_not_words import Answer, headlines, in_the_way_of_losing, sentences
from tests import small
from tests.two_hosts import two_hosts

TABLES = small.book(hosts=[small.host(code) | {"name": f"{code}land"} for code in ("A", "B", "C")])
ASKED = "1 kt by 2030"


def said(*order: Answer, lost: tuple[Answer, ...] = ()) -> list[str]:
    return list(sentences(TABLES, order, lost, ASKED, 1.0))


def test_hosts_as_near_as_the_gap_are_left_to_other_grounds():
    near, close, far = (Answer(host, (), extra, 0.5, "x", "passed") for host, extra in (("A", 20.0), ("B", 20.9), ("C", 21.1)))
    assert any(told.startswith("2 hosts lie within 1.0 MUSD of it (Aland, Bland)") for told in said(near, close, far))
    assert not any("lie within" in told for told in said(near, far))


def test_only_hosts_barred_by_what_is_named_and_settled_are_said_to_be():
    rule, unnamed = Answer("A", ("a rule",)), Answer("B", ("no single one",), is_named=False)
    stopped = Answer("C", ("not known",), verdict="stopped")
    assert said(rule, unnamed, stopped)[0].startswith("1 is barred by a rule or figure of the book")
    assert not any("barred by a rule" in told for told in said(unnamed, stopped))


def test_the_dearest_loss_is_the_headline_but_none_that_a_rule_would_undo():
    small_loss, great, forced = (
        Answer("A", (), 5.0, 0.5, "x", "passed"), Answer("B", (), 9.0, 0.5, "x", "passed"),
        Answer("C", (), 50.0, 0.5, "x", "passed", lifted=("rule R",)),
    )  # fmt: skip
    assert list(headlines(TABLES, [], [small_loss, great, forced], [], ASKED, 1.0)) == ["Losing Bland would cost 9.0 MUSD."]


def test_no_terms_are_named_for_a_loss_of_which_nothing_is_proven():
    (told,) = said(lost=(Answer("A", (), 20.0, 30.0, "x", "passed"),))
    assert told == "Losing Aland costs at most 20.0 MUSD (proven to -10.0); then the plants are x."
    (told,) = said(lost=(Answer("A", (), 20.0, 12.0, "x", "passed"),))
    assert told.endswith("Terms asked for the site should cost less than 8.0 MUSD.")


def test_what_losing_a_host_comes_down_to():
    assert in_the_way_of_losing(Answer("A", (), 5.0, lifted=("rule R",))) == "cost, and rule R, lifted here"
    assert in_the_way_of_losing(Answer("A", (), -5.0, lifted=("rule R",))) == "rule R, lifted here"
    assert in_the_way_of_losing(Answer("A", (), 5.0)) == "cost"


def test_the_headline_names_the_sure_break_even_that_is_nearest_to_today():
    near = Answer("FAR", (), 20.0, 0.5, "x", "passed")
    figure = next(figure for figure in FIGURES if figure.name == "capex_factor")

    def row(value: float, **change: str) -> BreakEven:
        told = {"comes_in": "yes", "stays_out": "yes", "verdict": "passed", **change}
        return BreakEven("FAR", figure, 3.0, 0.3, value, answer="", **told)

    def headline(*rows: BreakEven) -> str:
        return next(iter(headlines(two_hosts(), [near], [], rows, ASKED, 1.0)))

    assert headline(row(1.0), row(2.5), row(0.5)).endswith("it comes in if its capex factor falls below 2.5 x (now 3).")
    for doubt in ({"stays_out": "not known"}, {"comes_in": "not known"}, {"verdict": "FAILED"}):
        assert headline(row(1.0), row(2.5, **doubt)).endswith("falls below 1 x (now 3).")
        assert "comes in" not in headline(row(2.5, **doubt))


def test_duties_fall_and_rise():
    figure = next(figure for figure in FIGURES if figure.name == "duty")
    row = BreakEven("FAR", figure, 1.0, 0.0, 0.5, answer="", comes_in="yes", stays_out="yes", verdict="passed")
    far = Answer("FAR", (), 20.0, 0.5, "x", "passed")
    assert next(iter(headlines(two_hosts(), [far], [], [row], ASKED, 1.0))).endswith(
        "it comes in if its duties on its trade fall below 0.5 x today's (now 1)."
    )

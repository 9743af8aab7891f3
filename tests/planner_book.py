"""A book as a planner would leave it: the tiny one with errors, own sheets, colours, comments, formulas, a chart, a picture."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from model.tables import RawBook
from tests.rawbook import tiny_book

PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
OWN_WORDS = "Ask the port authority about this."


def write_planner_book(path: Path, raw: RawBook | None = None, version: str = "") -> None:
    """Write the workbook; a comment of the planner stands on ``sources!I2``."""
    with xlsxwriter.Workbook(path) as book:
        if version:
            book.set_custom_property("schema_version", version, "text")
        yellow = book.add_format({"bg_color": "#FFFF00", "num_format": "#,##0.0", "italic": True})
        for name, tab in (raw or tiny_book()).sheets.items():
            page = book.add_worksheet(name)
            for letter, text in tab.header.items():
                page.write_string(*xl_cell_to_rowcol(f"{letter}1"), text)
            for row, cells in tab.rows.items():
                for letter, value in cells.items():
                    page.write(*xl_cell_to_rowcol(f"{letter}{row}"), value, yellow)
        sources = book.get_worksheet_by_name("sources")
        sources.write_comment("I2", OWN_WORDS, {"author": "Sato"})
        sources.write_comment("A3", "A second thought.", {"author": "Sato", "color": "#AACCFF"})
        sources.write_formula("H3", '="carb"&"onate"', yellow, "carbonate")
        sources.conditional_format(
            "A2:I9", {"type": "formula", "criteria": '=$G2="yes"', "format": book.add_format({"bg_color": "#CCFFCC"})}
        )
        sources.data_validation("G2:G99", {"validate": "list", "source": ["yes", "no"]})
        sources.set_header("&L&G", {"image_left": "logo.png", "image_data_left": io.BytesIO(PICTURE)})
        own = book.add_worksheet("my workings")
        own.write_row("A1", [1, 2, 3], yellow)
        own.write_formula("A2", "=SUM(A1:C1)*2", yellow, 12)
        own.write_url("A3", "https://example.org/report", string="report")
        own.insert_image("F2", "logo.png", {"image_data": io.BytesIO(PICTURE)})
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "='my workings'!$A$1:$C$1", "name": "tonnes"})
        own.insert_chart("F6", chart)
        own.protect("secret")
        book.define_name("my_total", "='my workings'!$A$2")
        own.activate()

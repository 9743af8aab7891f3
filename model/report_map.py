"""The map sheet: the picture, and the flows and places that it is drawn from."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from model.map import DELIVERY, FEED, PICTURE_SIZE, PLANT, REFINER, World, world_flows
from model.report_book import Book, DataTable, Field, Live, Row, ratio
from model.report_page import Page
from model.report_tables import ReportTables

PICTURE = "map.png"
SHEET_WIDTH = 1060
"""Pixels of the picture on its own sheet."""

PIXELS_PER_INCH = 96
ROW_PIXELS = 18
ALTERNATIVE_TEXT = "World map of the plan: feed from sources to joint plants, joint and bought oxide to markets; figures are on sheet map."


@dataclass(frozen=True)
class Picture:
    """A PNG file and how large it is at full size, in pixels of the sheet."""

    png: bytes
    width: float = PICTURE_SIZE[0] * PIXELS_PER_INCH
    height: float = PICTURE_SIZE[1] * PIXELS_PER_INCH

    def insert(self, sheet: Worksheet, row: int, column: int, width: float, x_offset: float = 0) -> float:
        """Put the picture on a sheet; return its height in pixels."""
        scale = width / self.width
        sheet.insert_image(
            row, column, PICTURE,
            {"image_data": io.BytesIO(self.png), "x_scale": scale, "y_scale": scale, "x_offset": x_offset, "object_position": 2,
             "description": ALTERNATIVE_TEXT},
        )  # fmt: skip
        return self.height * scale


def map_title(world: World) -> str:
    """Return the title of the picture, with its years."""
    years = world.years
    span = f"{years[0]}" if len(years) == 1 else f"{years[0]}–{years[-1]}"
    whole = len(years) == years[-1] - years[0] + 1
    return (
        f"Feed and oxide in {span}, all years together" if whole else f"Feed and oxide, the {len(years)} modelled years of {span} together"
    )


def world_picture(data: ReportTables) -> tuple[World, Picture]:
    """Gather and draw the map of a plan."""
    # matplotlib takes longer to load than the picture to draw, and most commands draw none
    from model.map_picture import draw_map

    world = world_flows(data.inputs, data.found)
    return world, Picture(draw_map(world, map_title(world)))


def write_map(book: Book, data: ReportTables, world: World, picture: Picture) -> None:
    """Write the picture with the figures behind it."""
    page = Page(
        book, "map",
        "Where feed and oxide travel: source to joint plant to market, and oxide bought from existing refiners; width by tonnes, colour by "
        "China-linked share.", 1,
    )  # fmt: skip
    page.say(
        "Lines join places and are no shipping routes. Existing refiners are drawn in the middle of their country. The same picture is the "
        f"file {PICTURE} beside this workbook."
    )
    if world.left_out:
        page.say(f"Not drawn, because it is not known where they are: {', '.join(world.left_out)}.", bold=True)
    height = picture.insert(page.sheet, page.row, 0, SHEET_WIDTH)
    page.row += int(height / ROW_PIXELS) + 2
    page.begin_page()
    page.add_table(_flow_table(data, world), filtered=False)
    page.add_table(_place_table(world))
    page.finish(pixels=SHEET_WIDTH)


def _flow_table(data: ReportTables, world: World) -> DataTable:
    rows = [
        (
            flow.kind, flow.origin, flow.destination, flow.tonnes, flow.china_tonnes, flow.china_tonnes / flow.tonnes,
            "yes" if all(world.places[end].known for end in flow.ends) else "no",
        )
        for flow in world.flows
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["kind", "origin", "destination", "tonnes", "china_tonnes", "share", "drawn"])

    def added(column: str) -> Field:
        def formula(row: Row) -> Live:
            kind = row["kind"].value
            if kind == FEED:
                return data.feed.sum(column, source_id=row["origin"], host=row["destination"])
            if kind == DELIVERY:
                return data.deliveries.sum(column, host=row["origin"], market=row["destination"])
            return data.purchases.sum(column, refined_in=row["origin"], market=row["destination"])

        words = "Tonnes, modelled years added up." if column == "tonnes" else "China-linked part, by mass balance."
        return Field(column, "t REO", words, formula)

    fields = [
        Field("kind", "", "Feed, joint oxide, or bought oxide of existing refiners."),
        Field("origin", "", "Source, host, or country of the refiners.", label="from"),
        Field("destination", "", "Host or market.", label="to"),
        added("tonnes"),
        added("china_tonnes"),
        Field("share", "share", "China-linked share: the colour of the line.", lambda row: ratio(row["china_tonnes"], row["tonnes"])),
        Field("drawn", "", "no: one of the two places is not known."),
    ]
    return DataTable("map_flows", "Flows of the map, largest first.", fields, frame)


def _place_table(world: World) -> DataTable:
    rows = [
        (place.kind, place.code, place.latitude, place.longitude, place.found_by, place.size if place.kind == PLANT else float("nan"))
        for place in sorted(world.places.values(), key=lambda place: (place.kind == REFINER, place.kind, place.code))
    ]
    frame = pd.DataFrame(rows, columns=["kind", "place", "latitude", "longitude", "found_by", "capacity"])
    fields = [
        Field("kind", "", "What stands there."),
        Field("place", "", "Code; a country for existing refiners."),
        Field("latitude", "deg", "Degrees north."),
        Field("longitude", "deg", "Degrees east."),
        Field("found_by", "", "Own coordinates in the inputs, those of its port, or the middle of its country."),
        Field("capacity", "t REO/y", "Joint capacity: the area of the disc."),
    ]
    return DataTable("map_places", "Places of the map.", fields, frame)

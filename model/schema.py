"""The one declaration of every input sheet.

Template, reader, validator, data dictionary and scenario changes are all
derived from :data:`SHEETS` and :data:`SETTINGS`; nothing else may state a
column, a unit, a range or a key. The result tables are declared the same way
in :mod:`model.result_schema`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA_VERSION = "1.0"

Kind = Literal["text", "code", "number", "integer", "year", "choice", "codes", "value"]
Family = Literal["year", "element"]

YES_NO = ("yes", "no")
QUALITIES = ("reported", "derived", "estimate", "assumption")
THORIUM_LEVELS = ("none", "low", "medium", "high")
INLAND_MODES = ("truck", "truck_africa", "rail", "barge", "none")
FEED_STAGES = ("concentrate", "carbonate")
STAGES = (*FEED_STAGES, "oxide")
ANY = "*"
"""Stands for every member where a column says that it may."""


@dataclass(frozen=True)
class Column:
    """One column of an input sheet.

    Parameters
    ----------
    name
        Lower-case field term; also the parameter's name in the model.
    kind
        ``text`` free words; ``code`` a short identifier; ``codes`` a comma-separated
        list of identifiers; ``choice`` one of `choices`; ``number``, ``integer``,
        ``year`` numeric; ``value`` either, as in the settings sheet.
    unit
        Written in the header in square brackets; "" for text.
    required
        A blank cell is a finding when true; when false, blank means `blank`.
    low, high
        Closed range of a numeric column, in `unit`.
    refers
        ``sheet.column`` that must hold the code.
    wildcard
        True when ``*`` (every member) is allowed besides a code.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    required: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    refers: str = ""
    wildcard: bool = False
    blank: str = ""

    @property
    def header(self) -> str:
        """Header cell text: the name and, where there is one, the unit."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @property
    def numeric(self) -> bool:
        """Whether cells hold numbers."""
        return self.kind in ("number", "integer", "year")


@dataclass(frozen=True)
class Spread:
    """A family of columns, one for each year or each element, all of one unit."""

    family: Family
    unit: str
    description: str
    required: bool = True
    low: float | None = None
    high: float | None = None
    blank: str = ""

    def header(self, member: object) -> str:
        """Header cell text of one member."""
        return f"{member} [{self.unit}]"


@dataclass(frozen=True)
class Sheet:
    """One input sheet: what it is for, its columns, its key."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    spread: Spread | None = None
    required: bool = True
    provenance: bool = True
    """True when every row carries `source` and `quality`."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Declared columns followed by the provenance columns."""
        return (*self.columns, *PROVENANCE) if self.provenance else self.columns

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError if there is none."""
        for column in self.all_columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")


@dataclass(frozen=True)
class Setting:
    """One row of the settings sheet."""

    name: str
    kind: Kind
    description: str
    default: str | float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    group: str = "model"
    required: bool = field(default=True)


PROVENANCE = (
    Column("source", "text", "Where the row's figures were read, or how the estimate was made."),
    Column(
        "quality",
        "choice",
        "reported: read in the named source; derived: computed from reported figures; "
        "estimate: a judgement to be varied; assumption: a choice of the planner.",
        choices=QUALITIES,
    ),
)


def _share(name: str, description: str, unit: str = "share", required: bool = True, blank: str = "") -> Column:
    return Column(name, "number", description, unit, required, 0.0, 1.0, blank=blank)


def _non_negative(name: str, description: str, unit: str, required: bool = True, blank: str = "") -> Column:
    return Column(name, "number", description, unit, required, 0.0, None, blank=blank)


def _positive(name: str, description: str, unit: str) -> Column:
    return Column(name, "number", description, unit, True, 1e-9, None)


def _yes_no(name: str, description: str) -> Column:
    return Column(name, "choice", description, choices=YES_NO)


def _place(what: str) -> tuple[Column, ...]:
    return (
        Column("port", "code", f"Sea port that serves the {what}.", refers="ports.port"),
        _non_negative("inland_km", f"Distance between the {what} and its port.", "km"),
        Column("inland_mode", "choice", "How the inland leg is travelled; its rate is in settings.", choices=INLAND_MODES),
    )


_LATITUDE = Column("latitude", "number", "Decimal degrees, north positive; for the map.", "deg", False, -90, 90, blank="not drawn")
_LONGITUDE = Column("longitude", "number", "Decimal degrees, east positive; for the map.", "deg", False, -180, 180, blank="not drawn")
_COUNTRY = Column("country", "code", "ISO 3166 three-letter country code, such as NAM for Namibia.")
_NOTE = Column("note", "text", "Anything a reader should know.", required=False)

SETTINGS: tuple[Setting, ...] = (
    Setting("first_year", "year", "First year of the plan; money is discounted to it.", 2027, "year", 2000, 2100, group="time"),
    Setting("last_year", "year", "Last year of the plan.", 2040, "year", 2000, 2100, group="time"),
    Setting(
        "modelled_years",
        "codes",
        "all, or a comma-separated list of years; each listed year stands for the years up to the next one.",
        "all",
        group="time",
    ),
    Setting("decision_year", "year", "Year in which construction can first begin.", 2026, "year", 2000, 2100, group="time"),
    Setting("discount_rate", "number", "Social discount rate, real.", 0.04, "share/y", 0, 0.5, group="money"),
    Setting("inflation", "number", "Turns nominal costs of capital into real ones.", 0.02, "share/y", -0.05, 0.5, group="money"),
    Setting("plant_life", "integer", "Years over which a plant's capital is repaid.", 20, "years", 1, 100, group="money"),
    Setting("max_plants", "integer", "Largest number of joint plants.", 6, "plants", 0, 1000, group="siting"),
    Setting("plants_per_host", "integer", "Largest number of joint plants at one host.", 1, "plants", 0, 100, group="siting"),
    Setting("minimum_hosts", "integer", "Least number of hosts that hold a plant by the last year.", 0, "hosts", 0, 1000, group="siting"),
    Setting(
        "country_share_limit",
        "number",
        "Largest share of joint capacity that may stand in one country; 1 switches the limit off.",
        1.0,
        "share",
        0,
        1,
        group="siting",
    ),
    Setting("country_share_from", "year", "First year in which country_share_limit holds.", 2033, "year", 2000, 2100, group="siting"),
    Setting(
        "heavy_concentrate_payability",
        "number",
        "What a light-only plant is paid for the medium and heavy elements it leaves unseparated.",
        0.65,
        "share of value",
        0,
        1,
        group="process",
    ),
    Setting(
        "expertise_capex_penalty",
        "number",
        "Extra capital cost where effective expertise is 0; proportional between 0 and 1.",
        0.3,
        "share",
        0,
        5,
        group="process",
    ),
    Setting(
        "expertise_operating_penalty",
        "number",
        "Extra processing cost where effective expertise is 0.",
        0.2,
        "share",
        0,
        5,
        group="process",
    ),
    Setting(
        "expertise_recovery_penalty", "number", "Recovery lost where effective expertise is 0.", 0.06, "share", 0, 0.9, group="process"
    ),
    Setting(
        "expertise_ramp_penalty",
        "number",
        "Capacity lost during ramp-up (not after it) where effective expertise is 0.",
        0.25,
        "share",
        0,
        0.9,
        group="process",
    ),
    Setting("route_basis", "choice", "Which distance column counts.", "no_red_sea", choices=("no_red_sea", "suez_open"), group="freight"),
    Setting("sea_fixed", "number", "Sea freight that does not depend on distance.", 70, "USD/t", 0, group="freight"),
    Setting("sea_rate", "number", "Sea freight by distance.", 3.0, "USD/t/1000nm", 0, group="freight"),
    Setting("feeder_addon", "number", "Extra for each feeder port on the leg.", 40, "USD/t", 0, group="freight"),
    Setting("radioactive_sea_multiplier", "number", "Sea freight multiplier of Class 7 (radioactive) cargo.", 2.0, "x", 1, group="freight"),
    Setting("radioactive_handling", "number", "Handling of Class 7 cargo.", 100, "USD/t", 0, group="freight"),
    Setting("product_sea_multiplier", "number", "Sea freight multiplier of drummed, insured oxide.", 1.3, "x", 0, group="freight"),
    Setting("product_insurance", "number", "Cargo insurance of oxide.", 0.003, "share of value", 0, 1, group="freight"),
    Setting("truck_rate", "number", "Inland truck.", 0.1, "USD/t/km", 0, group="freight"),
    Setting("truck_africa_rate", "number", "Inland truck in Sub-Saharan Africa.", 0.12, "USD/t/km", 0, group="freight"),
    Setting("rail_rate", "number", "Inland rail.", 0.05, "USD/t/km", 0, group="freight"),
    Setting("barge_rate", "number", "Inland barge.", 0.05, "USD/t/km", 0, group="freight"),
    Setting(
        "absolute_gap", "number", "Stop when the plan is proven within this much of the least total cost.", 1.0, "MUSD", 0, group="solver"
    ),
    Setting(
        "relative_gap",
        "number",
        "Or within this share of it, whichever comes first; 0 leaves it to absolute_gap.",
        0.0,
        "share",
        0,
        1,
        group="solver",
    ),
    Setting("time_limit", "number", "Stop with the best plan found after this long.", 900, "s", 1, group="solver"),
    Setting("threads", "integer", "Processor threads for the solver.", 2, "threads", 1, 256, group="solver"),
    Setting(
        "studies",
        "codes",
        "Studies to run, comma separated; the guide lists them; blank for none.",
        "",
        group="studies",
        required=False,
    ),
    Setting(
        "leaning_scenarios",
        "codes",
        "Scenarios that the study leaning sets beside the plan, comma separated.",
        "",
        group="studies",
        required=False,
    ),
)

_FEED_TYPE = Column("feed_type", "code", "Kind of feed.", refers="processing.feed_type")
_PRODUCT = Column("product", "code", "Separated product.", refers="elements.product")

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "settings",
        "Choices that hold for the whole plan: years, money, siting limits, freight rates, solver, studies.",
        (
            Column("setting", "code", "Name of the setting; see the note on its value cell."),
            Column("value", "value", "Its value.", required=False),
            Column("unit", "text", "Unit of the value.", required=False),
            Column("description", "text", "What it does.", required=False),
        ),
        ("setting",),
    ),
    Sheet(
        "elements",
        "The rare earths and the product each is sold in.",
        (
            Column("element", "code", "Chemical symbol."),
            Column("name", "text", "English name."),
            Column("oxide", "text", "Formula of the traded oxide."),
            Column("group", "choice", "light, heavy or other.", choices=("light", "heavy", "other")),
            Column(
                "product",
                "code",
                "Product that the element is sold in (Nd and Pr in NdPr); blank: it has no market.",
                required=False,
                blank="no market: never valued or delivered",
            ),
            Column(
                "circuit",
                "choice",
                "Separation circuit: light plants make the light circuit's products only and sell the rest as concentrate.",
                choices=("light", "heavy"),
            ),
            Column("oxide_per_metal", "number", "Mass of oxide per mass of metal.", "kg/kg", True, 1, 2),
            Column("export_control", "text", "Chinese export control in force.", required=False),
            Column("uses", "text", "Main uses.", required=False),
        ),
        ("element",),
    ),
    Sheet(
        "prices",
        "Market price of each product and what a surplus of it fetches, constant 2024 USD.",
        (
            _PRODUCT,
            Column(
                "item",
                "choice",
                "market: price of the oxide; surplus: what unsold oxide fetches, negative for disposal.",
                choices=("market", "surplus"),
            ),
        ),
        ("product", "item"),
        Spread("year", "USD/kg", "Price in the year."),
    ),
    Sheet(
        "ports",
        "Sea ports named elsewhere.",
        (
            Column("port", "code", "Name of the port."),
            _COUNTRY,
            _yes_no("feeder", "yes: reached by feeder vessel, with the add-on of settings."),
            _LATITUDE,
            _LONGITUDE,
        ),
        ("port",),
    ),
    Sheet(
        "distances",
        "Sea distance between ports; read in both directions.",
        (
            Column("from_port", "code", "Port.", refers="ports.port"),
            Column("to_port", "code", "Port.", refers="ports.port"),
            _non_negative("no_red_sea", "Shortest route that avoids the Red Sea.", "nm"),
            _non_negative("suez_open", "Shortest route with the Suez Canal open.", "nm"),
        ),
        ("from_port", "to_port"),
    ),
    Sheet(
        "route_costs",
        "Replaces the computed freight (insurance included) of any leg; blank cost: the leg cannot be used.",
        (
            Column("leg", "choice", "feed: source to host; product: host to market.", choices=("feed", "product")),
            Column("origin", "code", "Source (feed) or host (product)."),
            Column("destination", "code", "Host (feed) or market (product)."),
            _non_negative("cost", "Freight.", "USD/kg REO", required=False, blank="no route"),
        ),
        ("leg", "origin", "destination"),
        required=False,
    ),
    Sheet(
        "processing",
        "What it takes to refine a kg of each feed type; recoveries by product are in recoveries.",
        (
            Column("feed_type", "code", "Kind of feed."),
            Column("description", "text", "What it is.", required=False),
            Column("customs_stage", "choice", "How customs sees the feed.", choices=FEED_STAGES),
            _yes_no("needs_cracking", "yes: must be cracked before separation, so a separation-only plant cannot take it."),
            _non_negative("electricity", "Electric energy.", "kWh/kg REO"),
            _non_negative("heat", "Heat.", "MJ/kg REO"),
            _non_negative("labour", "Operating labour.", "h/t REO"),
            _non_negative("reagents", "Acids, bases, extractants.", "USD/kg REO"),
            _non_negative("waste", "Treatment of thorium, uranium and salt residues.", "USD/kg REO"),
            _non_negative("other", "Other variable cost.", "USD/kg REO"),
            _share("leach_recovery", "Share of every element that survives cracking and leaching."),
            _non_negative("equipment", "Extra capital for this feed, per kg a year treated.", "USD/(kg/y)"),
            Column(
                "discharge_addon",
                "code",
                "Row of this sheet that is added where the host permits no brine discharge.",
                required=False,
                refers="processing.feed_type",
                blank="none",
            ),
        ),
        ("feed_type",),
    ),
    Sheet(
        "recoveries",
        "Share of a product in leached feed that separation delivers as saleable oxide.",
        (_FEED_TYPE, _PRODUCT, _share("recovery", "Separation recovery.")),
        ("feed_type", "product"),
    ),
    Sheet(
        "sources",
        "Mines and other feedstock streams, as shipped.",
        (
            Column("source_id", "code", "Short name of the stream."),
            Column("name", "text", "Full name."),
            _COUNTRY,
            Column("operator", "text", "Who runs it.", required=False),
            Column("mineral", "text", "Mineral.", required=False),
            Column("status", "text", "operating, construction, feasibility, exploration.", required=False),
            _yes_no("use", "yes: offered to the plan; no: kept for scenarios."),
            _FEED_TYPE,
            _non_negative("capacity", "Output at full rate.", "t REO/y"),
            Column("first_year", "year", "First year of output.", "year", True, 1900, 2100),
            _share("ramp_1", "Share of capacity in the first year."),
            _share("ramp_2", "Share of capacity in the second year; full from the third."),
            _share("uncommitted", "Share of output that is not already promised to somebody else."),
            _share("uncommitted_low", "Low case.", required=False),
            _share("uncommitted_high", "High case.", required=False),
            Column("grade", "number", "REO in the feed as shipped.", "t REO/t", True, 1e-4, 1),
            Column(
                "payability",
                "number",
                "Feed price as a share of the year's basket value.",
                "share of basket",
                False,
                0,
                2,
                blank="fixed_price counts",
            ),
            _share("payability_low", "Low case.", required=False),
            _share("payability_high", "High case.", required=False),
            _non_negative(
                "fixed_price", "Feed price where it does not follow the basket.", "USD/kg REO", required=False, blank="payability counts"
            ),
            _share("china_linked", "Share of the stream that counts as China-sourced."),
            Column("china_linked_reason", "text", "Why that share."),
            Column("thorium", "choice", "Thorium in the feed as shipped.", choices=THORIUM_LEVELS),
            _yes_no("radioactive_cargo", "yes: travels as Class 7."),
            *_place("source"),
            Column("process_only_in", "codes", "Countries where the feed must be processed.", required=False, blank="anywhere"),
            _non_negative("output_2024", "Output in 2024, for the context sheet only.", "t REO", required=False),
            _LATITUDE,
            _LONGITUDE,
            _NOTE,
        ),
        ("source_id",),
    ),
    Sheet(
        "composition",
        "Share of each element in a source's rare-earth oxide; each row sums to 1.",
        (Column("source_id", "code", "Source.", refers="sources.source_id"),),
        ("source_id",),
        Spread("element", "share of REO", "Share of the element.", True, 0, 1),
    ),
    Sheet(
        "hosts",
        "Candidate sites for joint plants.",
        (
            Column("host", "code", "Short name of the site."),
            Column("name", "text", "Country's name."),
            _COUNTRY,
            Column("site", "text", "Town or industrial park.", required=False),
            Column(
                "role",
                "choice",
                "third_country, or partner: a site in Japan or the US for comparison.",
                choices=("third_country", "partner"),
            ),
            _yes_no("candidate", "yes: a joint plant may stand here."),
            *_place("site"),
            _non_negative("power_price", "Industrial electricity.", "USD/kWh"),
            _non_negative("heat_price", "Fuel for heat.", "USD/GJ"),
            _non_negative("wage", "Industrial labour, full cost.", "USD/h"),
            _positive("capex_factor", "Construction cost against the US Gulf coast.", "x"),
            Column("cost_of_capital", "number", "Nominal, in USD.", "share/y", True, 0, 1),
            _share("expertise", "Refining expertise; 1: commercial light and heavy separation today.", "score 0-1"),
            Column("earliest_start", "year", "First year in which a plant can be on line, permits included.", "year", True, 2000, 2100),
            _share("foreign_share_limit", "Largest share that Japan and the US may own together."),
            Column("thorium_accepted", "choice", "Highest thorium level in feed that the host accepts.", choices=THORIUM_LEVELS),
            _yes_no("brine_discharge", "yes: treated brine may be discharged; no: the feed's discharge add-on applies."),
            Column("political_stability", "number", "World Bank governance score.", "WGI", False, -3.5, 3.5),
            Column("regulatory_quality", "number", "World Bank governance score.", "WGI", False, -3.5, 3.5),
            Column("rule_of_law", "number", "World Bank governance score.", "WGI", False, -3.5, 3.5),
            _LATITUDE,
            _LONGITUDE,
            _NOTE,
        ),
        ("host",),
    ),
    Sheet(
        "host_rules",
        "Dated rules that bind a host.",
        (
            Column("rule_id", "code", "Short name of the rule."),
            Column("host", "code", "Host.", refers="hosts.host"),
            Column(
                "rule",
                "choice",
                "no_thorium: feed at most low in thorium; no_cracking: only feed that needs no cracking; feed_ceiling: most feed a year; "
                "force_plant: at least `value` of capacity on line by to_year; forbid_plant: no plant may come on line; "
                "export_share: largest share of each product made that may leave for a market in another country; "
                "export_ceiling: most tonnes of a product a year that may leave.",
                choices=("no_thorium", "no_cracking", "feed_ceiling", "force_plant", "forbid_plant", "export_share", "export_ceiling"),
            ),
            Column("from_year", "year", "First year of the rule.", "year", False, 1900, 2100, blank="always"),
            Column("to_year", "year", "Last year of the rule.", "year", False, 1900, 2100, blank="for ever"),
            _non_negative("value", "Figure of the rule, in value_unit.", "see value_unit", required=False),
            Column(
                "value_unit",
                "choice",
                "t REO/y or share, as the rule needs; blank where the rule has no figure.",
                required=False,
                choices=("t REO/y", "share"),
            ),
            Column("product", "code", "Product of an export rule.", required=False, refers="elements.product", blank="every product"),
            Column("reason", "text", "Law, licence or decision behind the rule."),
        ),
        ("rule_id",),
        required=False,
    ),
    Sheet(
        "designs",
        "Plant designs that can be built.",
        (
            Column("design", "code", "Short name."),
            Column(
                "scope",
                "choice",
                "integrated: cracking, leaching and separation; separation: separation only.",
                choices=("integrated", "separation"),
            ),
            _yes_no("heavies", "yes: separates medium and heavy elements too; no: sells them as concentrate."),
            _positive("capacity", "Feed treated at full rate.", "t REO/y"),
            _non_negative("capex", "Capital cost on the US Gulf coast.", "MUSD"),
            _non_negative("capex_low", "Low case.", "MUSD", required=False),
            _non_negative("capex_high", "High case.", "MUSD", required=False),
            _non_negative("fixed_cost", "Maintenance, insurance, site; on the US Gulf coast.", "MUSD/y"),
            Column("build_years", "number", "Years of construction, over which capital is spent evenly.", "years", True, 0, 20),
            _share("ramp_1", "Usable share of capacity in the first year."),
            _share("ramp_2", "Second year."),
            _share("ramp_3", "Third year."),
            _share("ramp_4", "Fourth year and after."),
            _share("minimum_use", "Least feed once ramped up (from the fourth year).", "share of capacity"),
            Column("host", "code", "The only host that may have it.", required=False, refers="hosts.host", blank="any host"),
        ),
        ("design",),
    ),
    Sheet(
        "know_how",
        "Ways of working a plant.",
        (
            Column("way", "code", "Short name."),
            Column("description", "text", "What it is.", required=False),
            _non_negative("fee", "Licence and support fee.", "USD/kg REO"),
            _non_negative("fixed_fee", "Support fee of each plant.", "MUSD/y"),
            _positive("capex_multiplier", "On capital cost.", "x"),
            _positive("operating_multiplier", "On processing cost.", "x"),
            _positive("recovery_multiplier", "On recovery.", "x"),
            _share("expertise_up_to", "Raises the host's effective expertise to at least this.", "score 0-1"),
        ),
        ("way",),
    ),
    Sheet(
        "duties",
        "Customs duties. For each measure the most specific row counts (product, then origin, then destination); measures add up.",
        (
            Column("measure", "code", "Name of the tariff measure."),
            Column("stage", "choice", "concentrate, carbonate or oxide.", choices=STAGES),
            Column("product", "code", "Oxide that it is limited to.", required=False, refers="elements.product", blank="every product"),
            Column("origin", "code", "Country of export, or *.", wildcard=True),
            Column("destination", "code", "Country of import, or *.", wildcard=True),
            Column("from_year", "year", "First year.", "year", False, 1900, 2100, blank="always"),
            Column("to_year", "year", "Last year.", "year", False, 1900, 2100, blank="for ever"),
            Column("rate", "number", "Duty.", "% of customs value", True, 0, 1000),
            _non_negative(
                "customs_value",
                "Value the duty is laid on where it is not the price paid.",
                "USD/kg",
                required=False,
                blank="price paid for feed, market price of joint oxide, supplier's price of bought oxide",
            ),
        ),
        ("measure", "stage", "product", "origin", "destination", "from_year"),
        required=False,
    ),
    Sheet(
        "markets",
        "Who buys; the partners are Japan and the US.",
        (
            Column("market", "code", "Short name."),
            Column("name", "text", "Full name."),
            _COUNTRY,
            _yes_no("partner", "yes: owns the joint plants and is entitled to their output."),
            _share("equity", "Share of the partners' capital; the partners' shares sum to 1."),
            _share("offtake_minimum", "Least share, by value, of each joint plant's output."),
            *_place("market"),
            _LATITUDE,
            _LONGITUDE,
        ),
        ("market",),
        Spread("year", "MUSD capex budget", "Most capital the partner can spend in the year.", False, 0, None, "no limit"),
    ),
    Sheet(
        "sectors",
        "Users of the products, most important first.",
        (
            Column("sector", "code", "Short name."),
            Column("name", "text", "Full name."),
            Column("group", "text", "Heading under which results show it, such as defence or EV traction."),
            Column("priority", "integer", "1 is served first.", "rank", True, 1, 99),
            _non_negative("shortage_cost", "Cost of a kg short, beside shortage_multiple.", "USD/kg"),
            _non_negative("shortage_multiple", "Cost of a kg short as a multiple of the year's price; added to shortage_cost.", "x price"),
        ),
        ("sector",),
    ),
    Sheet(
        "demand",
        "Separated oxide that each sector of each market buys.",
        (
            Column("market", "code", "Market.", refers="markets.market"),
            Column("sector", "code", "Sector.", refers="sectors.sector"),
            _PRODUCT,
        ),
        ("market", "sector", "product"),
        Spread("year", "t REO", "Demand in the year.", True, 0),
    ),
    Sheet(
        "suppliers",
        "Refined oxide that exists or is being built without the joint plan.",
        (
            Column("supplier", "code", "Short name."),
            _PRODUCT,
            Column("market", "code", "Market served, or *: any market, sharing the tonnes.", refers="markets.market", wildcard=True),
            Column("name", "text", "Full name."),
            Column("country", "code", "Country where the oxide is refined (ISO code)."),
            Column(
                "customs_origin",
                "code",
                "Country that the market's customs record: for home processing of imported raw material, where that came from.",
            ),
            _non_negative("price_share", "Delivered price as a share of the year's market price.", "x price"),
            _non_negative("price_floor", "Least price under contract.", "USD/kg", required=False, blank="none"),
            _share("least_take", "Share of the tonnes that must be bought.", required=False, blank="0"),
            _share("china_linked", "Share that counts as China-sourced, traced to the feed."),
            Column("china_linked_reason", "text", "Why that share."),
        ),
        ("supplier", "product", "market"),
        Spread("year", "t REO", "Most that can be bought in the year.", True, 0),
    ),
    Sheet(
        "caps",
        "Largest China-linked share allowed.",
        (
            Column("cap", "code", "Short name."),
            Column(
                "basis",
                "choice",
                "feedstock: what the joint plants are fed; supply: all oxide the markets receive.",
                choices=("feedstock", "supply"),
            ),
            Column("measure", "choice", "tonnes, or value at the year's prices.", choices=("tonnes", "value")),
            Column(
                "scope",
                "choice",
                "all; host, product or partner: the one in member; every_product: each product by itself.",
                choices=("all", "host", "product", "every_product", "partner"),
            ),
            Column("member", "code", "Host, product or market of the scope.", required=False, blank="scope all or every_product"),
        ),
        ("cap",),
        Spread("year", "share", "Largest China-linked share in the year.", False, 0, 1, "no cap"),
        required=False,
    ),
    Sheet(
        "stockpiles",
        "Stocks of oxide that a market keeps.",
        (
            Column("market", "code", "Market.", refers="markets.market"),
            _PRODUCT,
            _non_negative("opening", "Stock at the start of the plan.", "t REO"),
            _non_negative("days", "Days of demand to hold at each year's end.", "days"),
            Column("from_year", "year", "First year in which the days must be held.", "year", False, 1900, 2100, blank="first year"),
            _non_negative("holding_cost", "Storage and handling.", "USD/kg/y"),
        ),
        ("market", "product"),
        required=False,
    ),
    Sheet(
        "scenarios",
        "Named scenarios: each row changes cells of another sheet.",
        (
            Column("scenario", "code", "Name; give it to --scenario."),
            _share("probability", "Weight among the scenarios.", required=False, blank="none"),
            Column("sheet", "code", "Sheet to change."),
            Column("key", "text", "Row keys in the order of the sheet's key columns, parted by |; comma for several, * for all."),
            Column("column", "text", "Column to change; for yearly figures a year, a range such as 2027-2030, or *."),
            Column("operation", "choice", "set, multiply or add.", choices=("set", "multiply", "add")),
            Column("value", "value", "New value, factor or increment; none empties the cell."),
            Column("reason", "text", "What the change stands for."),
        ),
        ("scenario", "sheet", "key", "column"),
        required=False,
    ),
    Sheet(
        "published",
        "Published figures that the result is set beside; they do not move the plan.",
        (
            Column("figure", "code", "Short name."),
            Column("description", "text", "What was measured."),
            Column("period", "text", "Year or years."),
            Column("value", "number", "Published value.", "see unit"),
            Column("unit", "text", "Unit of the value."),
        ),
        ("figure",),
        required=False,
    ),
)

SHEET_BY_NAME: dict[str, Sheet] = {sheet.name: sheet for sheet in SHEETS}
SETTING_BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}

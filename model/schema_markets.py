"""Declaration of the input sheets on markets, demand, supply, caps, stocks, scenarios and published figures."""

from __future__ import annotations

from model.schema_columns import COUNTRY, LATITUDE, LONGITUDE, PRODUCT, Column, Sheet, Spread, non_negative, place, share, yes_no

MARKET_SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "markets",
        "Who buys; the partners are Japan and the US.",
        (
            Column("market", "code", "Short name."),
            Column("name", "text", "Full name."),
            COUNTRY,
            yes_no("partner", "yes: owns the joint plants and is entitled to their output."),
            share("equity", "Share of the partners' capital; the partners' shares sum to 1."),
            share("offtake_minimum", "Least share, by value, of each joint plant's output."),
            *place("market"),
            LATITUDE,
            LONGITUDE,
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
            non_negative("shortage_cost", "Cost of a kg short, beside shortage_multiple.", "USD/kg"),
            non_negative("shortage_multiple", "Cost of a kg short as a multiple of the year's price; added to shortage_cost.", "x price"),
        ),
        ("sector",),
    ),
    Sheet(
        "demand",
        "Separated oxide that each sector of each market buys.",
        (
            Column("market", "code", "Market.", refers="markets.market"),
            Column("sector", "code", "Sector.", refers="sectors.sector"),
            PRODUCT,
        ),
        ("market", "sector", "product"),
        Spread("year", "t REO", "Demand in the year.", True, 0),
    ),
    Sheet(
        "suppliers",
        "Refined oxide that exists or is being built without the joint plan.",
        (
            Column("supplier", "code", "Short name."),
            PRODUCT,
            Column("market", "code", "Market served, or *: any market, sharing the tonnes.", refers="markets.market", wildcard=True),
            Column("name", "text", "Full name."),
            Column("country", "code", "Country where the oxide is refined (ISO code)."),
            Column(
                "customs_origin",
                "code",
                "Country that the market's customs record: for home processing of imported raw material, where that came from.",
            ),
            non_negative("price_share", "Delivered price as a share of the year's market price.", "x price"),
            non_negative("price_floor", "Least price under contract.", "USD/kg", required=False, blank="none", plausible=(0, 5_000)),
            share("least_take", "Share of the tonnes that must be bought.", required=False, blank="0"),
            share("china_linked", "Share that counts as China-sourced, traced to the feed."),
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
            PRODUCT,
            non_negative("opening", "Stock at the start of the plan.", "t REO"),
            non_negative("days", "Days of demand to hold at each year's end.", "days"),
            Column("from_year", "year", "First year in which the days must be held.", "year", False, 1900, 2100, blank="first year"),
            non_negative("holding_cost", "Storage and handling.", "USD/kg/y"),
        ),
        ("market", "product"),
        required=False,
    ),
    Sheet(
        "scenarios",
        "Named scenarios: each row changes cells of another sheet.",
        (
            Column("scenario", "code", "Name; give it to --scenario."),
            share("probability", "Weight among the scenarios.", required=False, blank="none"),
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

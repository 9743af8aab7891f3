"""Japanese labels of sheets and columns, shown in the notes of headers and in the guide; names stay English."""

from __future__ import annotations

SHEET_LABELS: dict[str, str] = {
    "settings": "設定", "elements": "元素", "prices": "価格", "ports": "港湾", "distances": "海上距離", "route_costs": "輸送費（個別指定）",
    "processing": "処理原単位", "recoveries": "分離回収率", "sources": "原料供給源", "composition": "元素組成", "hosts": "立地候補",
    "host_rules": "立地国の規制", "designs": "プラント設計", "know_how": "操業技術", "duties": "関税", "markets": "市場", "sectors": "需要部門",
    "demand": "需要", "suppliers": "既存の供給者", "caps": "中国依存度の上限", "stockpiles": "備蓄", "scenarios": "シナリオ", "published": "公表値",
}  # fmt: skip
"""Sheet -> label."""

COLUMN_LABELS: dict[str, str] = {
    "source": "出典", "quality": "確度", "note": "備考", "description": "説明", "name": "名称", "unit": "単位", "value": "値", "reason": "理由",
    "country": "国（ISO 3コード）", "port": "港", "inland_km": "内陸輸送距離", "inland_mode": "内陸輸送手段", "latitude": "緯度", "longitude": "経度",
    "product": "製品", "feed_type": "原料種別", "setting": "設定項目", "element": "元素記号", "oxide": "酸化物", "group": "区分", "circuit": "分離系統",
    "oxide_per_metal": "酸化物／金属 質量比", "export_control": "輸出規制", "uses": "主な用途", "item": "価格の種類", "feeder": "フィーダー港",
    "from_port": "発港", "to_port": "着港", "no_red_sea": "紅海回避の距離", "suez_open": "スエズ経由の距離", "leg": "輸送区間", "origin": "発地・原産国",
    "destination": "着地・仕向国", "cost": "費用", "customs_stage": "関税上の段階", "needs_cracking": "分解の要否", "electricity": "電力量", "heat": "熱量",
    "labour": "労働時間", "reagents": "薬剤費", "waste": "廃棄物処理費", "other": "その他変動費", "leach_recovery": "浸出回収率", "equipment": "追加設備費",
    "discharge_addon": "排水制約時の追加処理", "recovery": "回収率", "source_id": "供給源コード", "operator": "操業者", "mineral": "鉱物", "status": "開発段階",
    "use": "計画に使うか", "capacity": "能力", "first_year": "生産開始年", "ramp_1": "1年目の稼働率", "ramp_2": "2年目の稼働率", "ramp_3": "3年目の稼働率",
    "ramp_4": "4年目以降の稼働率", "uncommitted": "未契約の割合", "uncommitted_low": "未契約の割合（低位）", "uncommitted_high": "未契約の割合（高位）",
    "grade": "REO品位", "payability": "支払率", "payability_low": "支払率（低位）", "payability_high": "支払率（高位）", "fixed_price": "固定価格",
    "china_linked": "中国由来の割合", "china_linked_reason": "その根拠", "thorium": "トリウム含有", "radioactive_cargo": "放射性貨物（クラス7）",
    "process_only_in": "処理国の限定", "output_2024": "2024年の生産量", "host": "立地候補コード", "site": "立地", "role": "区分（第三国・当事国）",
    "candidate": "候補とするか", "power_price": "電力価格", "heat_price": "熱源価格", "wage": "賃金", "capex_factor": "建設費係数",
    "operating_factor": "処理費係数", "cost_of_capital": "資本コスト", "expertise": "技術習熟度", "earliest_start": "最早稼働年",
    "foreign_share_limit": "外資比率の上限", "thorium_accepted": "受入可能なトリウム水準", "brine_discharge": "塩水排出の可否",
    "political_stability": "政治的安定性", "regulatory_quality": "規制の質", "rule_of_law": "法の支配", "rule_id": "規制コード", "rule": "規制の種類",
    "from_year": "開始年", "to_year": "終了年", "value_unit": "値の単位", "design": "設計コード", "scope": "範囲", "heavies": "重希土類の分離",
    "capex": "建設費", "capex_low": "建設費（低位）", "capex_high": "建設費（高位）", "fixed_cost": "固定費", "build_years": "建設年数",
    "minimum_use": "最低稼働率", "way": "操業方式", "fee": "技術料", "fixed_fee": "固定技術料", "capex_multiplier": "建設費倍率",
    "operating_multiplier": "処理費倍率", "recovery_multiplier": "回収率倍率", "expertise_up_to": "引き上げ後の習熟度", "provider": "技術提供国",
    "measure": "関税措置・尺度", "stage": "品目段階", "rate": "税率", "customs_value": "課税価格", "market": "市場コード", "partner": "当事国か",
    "equity": "出資比率", "offtake_minimum": "最低引取比率", "sector": "部門コード", "priority": "優先順位", "shortage_cost": "不足費用",
    "shortage_multiple": "不足費用の価格倍率", "supplier": "供給者コード", "customs_origin": "通関上の原産国", "price_share": "市場価格比", "price_floor": "最低価格",
    "least_take": "最低引取割合", "cap": "上限コード", "basis": "算定基準", "member": "対象", "opening": "期首在庫", "days": "備蓄日数",
    "holding_cost": "保管費", "scenario": "シナリオ名", "probability": "確率", "sheet": "シート", "key": "行のキー", "column": "列", "operation": "操作",
    "figure": "指標", "period": "期間",
}  # fmt: skip
"""Column -> label, where no sheet has another one."""

LABELS_OF_SHEETS: dict[tuple[str, str], str] = {
    ("sources", "capacity"): "生産能力", ("designs", "capacity"): "処理能力", ("route_costs", "cost"): "輸送費", ("duties", "measure"): "関税措置",
    ("caps", "measure"): "尺度（数量・金額）", ("caps", "scope"): "適用範囲", ("elements", "name"): "元素名", ("hosts", "name"): "国名",
    ("duties", "origin"): "輸出国", ("duties", "destination"): "輸入国", ("route_costs", "origin"): "発地", ("route_costs", "destination"): "着地",
}  # fmt: skip
"""(sheet, column) -> label that differs from the general one."""


def column_label(sheet: str, column: str) -> str:
    """Return the Japanese label of a column; "" where there is none."""
    return LABELS_OF_SHEETS.get((sheet, column), COLUMN_LABELS.get(column, ""))

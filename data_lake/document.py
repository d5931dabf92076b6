"""The generated parts of the READMEs: tables, SQL macros, settings, and the core's features.

`python -m data_lake.document` writes them anew; a test fails when they are out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from data_lake.macro import MACRO_DOCS
from data_lake.settings import Settings
from data_lake.tables import TABLES, Table
from volatility.feature import FAMILIES, FEATURES

_ROOT: Final = Path(__file__).parent.parent
READMES: Final = (_ROOT / "data_lake" / "README.md", _ROOT / "volatility" / "README.md")


def render(text: str) -> str:
    """`text` with every generated part, between its two markers, made anew."""
    for name, make in _PARTS.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = marked.sub(lambda found, make=make: f"{found[1]}{make()}{found[2]}", text)  # type: ignore[misc]
    return text


def tables_part() -> str:
    """Every table with its key, its hour rule and its columns."""
    return "\n".join(_table_part(table) for table in TABLES.values())


def macros_part() -> str:
    """Every SQL macro."""
    return _grid(("macro", "gives"), [(f"`{call}`", doc) for call, doc in MACRO_DOCS.items()])


def features_part() -> str:
    """Every family of features, and the features that stand alone."""
    alone = {name: doc for name, doc in FEATURES.items() if name.rpartition("_")[0] not in FAMILIES}
    rows = [(f"`{name}_<w>s`", doc) for name, doc in FAMILIES.items()]
    rows += [(f"`{name}`", doc) for name, doc in alone.items()]
    return _grid(("feature", "is"), [(name, doc.replace("|", "\\|")) for name, doc in rows])


def settings_part() -> str:
    """Every setting with its variable and default."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if str(field.default) else ""
        rows.append((f"`{_variable(name, field)}`", default, str(field.description)))
    return _grid(("variable", "default", "meaning"), rows)


def _table_part(table: Table) -> str:
    if table.layout == "chain":
        rule = "files in offset order, per topic, epoch and partition"
    elif table.edge == "opens":
        rule = f"hour H holds H <= `{table.time}` < H + 1 h"
    else:
        rule = f"hour H holds H < `{table.time}` <= H + 1 h"
    key = ", ".join(f"`{name}`" for name in table.key)
    columns = [
        (f"`{c.name}`", f"{c.type}{', null' if c.nullable else ''}", c.doc.replace("|", "\\|"))
        for c in table.columns
    ]
    title = f"### {table.path}\n{table.doc} Key: {key}; {rule}; schema version {table.version}.\n\n"
    return title + _grid(("column", "type", "meaning"), columns)


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"CRYPTOVOL_{name.upper()}"


def _grid(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_PARTS: Final[dict[str, Callable[[], str]]] = {
    "tables": tables_part,
    "macros": macros_part,
    "settings": settings_part,
    "features": features_part,
}


def main() -> None:
    """Write the generated parts of every README anew."""
    for readme in READMES:
        readme.write_text(render(readme.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()

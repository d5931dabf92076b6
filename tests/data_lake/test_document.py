"""The README's generated parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_lake.document import (
    READMES,
    features_part,
    macros_part,
    render,
    settings_part,
    tables_part,
)
from data_lake.settings import Settings
from data_lake.tables import TABLES
from volatility.feature import FAMILIES


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_a_readme_is_up_to_date(readme: Path) -> None:
    """If this fails: `python -m data_lake.document`."""
    text = readme.read_text("utf-8")
    assert render(text) == text


def test_every_part_stands_in_a_readme() -> None:
    text = "".join(readme.read_text("utf-8") for readme in READMES)
    for part in (tables_part(), macros_part(), settings_part(), features_part()):
        assert part in text


def test_every_family_is_in_the_features_part() -> None:
    assert all(f"| `{family}_<w>s` |" in features_part() for family in FAMILIES)


def test_every_column_is_in_the_tables_part() -> None:
    text = tables_part()
    for table in TABLES.values():
        assert f"### {table.path}\n" in text
        assert all(f"| `{column.name}` |" in text for column in table.columns)


def test_every_setting_is_in_the_settings_part() -> None:
    assert len(settings_part().splitlines()) == len(Settings.model_fields) + 2
    assert "| `KAFKA_SERVERS` |  | Kafka bootstrap servers" in settings_part()
    assert "| `CRYPTOVOL_LAKE` |" in settings_part()


def test_text_outside_the_markers_is_left_alone() -> None:
    assert render("a\n<!-- macros -->\nold<!-- /macros -->\nb") == (
        f"a\n<!-- macros -->\n{macros_part()}<!-- /macros -->\nb"
    )

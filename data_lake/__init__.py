"""The storage contract: tables, layout, atomic writes, SQL catalog, verification."""

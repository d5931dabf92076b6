"""Every exception cryptovol raises on purpose.

CryptovolError
├── MessageError       an exchange frame we could not understand
├── RecordingError     a recording line or file no known format explains
├── ProductError       a product id outside the allow-list pattern
├── ContractError      rows that break a table's contract
├── LakeError          a partition is missing, torn or written twice
│   └── FencedError    another writer committed this bronze offset first
├── QueryError         SQL that cannot be run over the lake
├── FeedError          an exchange endpoint refused us or cannot be reached
├── BrokerError        Kafka is unreachable, or a topic is not what we expect
├── ModelError         no champion, or its artefacts are not the ones we signed
└── SettingError       a setting or flag with a value we cannot use

Fields, not strings: each error stores what it knows and renders it in `__str__`.
"""

from __future__ import annotations


class CryptovolError(Exception):
    """Root of all domain errors; the CLI prints it as one line and exits with status 1."""


class MessageError(CryptovolError):
    """An exchange frame we could not understand."""

    def __init__(self, reason: str, *, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason, self.path = reason, path

    def __str__(self) -> str:
        return f"{self.reason} - at `{self.path}`" if self.path else self.reason


class RecordingError(CryptovolError):
    """A recording line or file no known format explains; `line` counts from 1, 0 means the file."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(file, line, reason)
        self.file, self.line, self.reason = file, line, reason

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.reason}"


class ProductError(CryptovolError):
    """A product id outside the allow-list pattern."""

    def __init__(self, product: str) -> None:
        super().__init__(product)
        self.product = product

    def __str__(self) -> str:
        return f"product {self.product!r} is not of the form BASE-QUOTE, e.g. BTC-USD"


class ContractError(CryptovolError):
    """A table whose columns or values break its contract."""

    def __init__(self, table: str, column: str, rule: str, bad_rows: int) -> None:
        super().__init__(table, column, rule, bad_rows)
        self.table, self.column, self.rule, self.bad_rows = table, column, rule, bad_rows

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.bad_rows} rows break `{self.rule}`"


class LakeError(CryptovolError):
    """A partition is missing, torn or written twice."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class FencedError(LakeError):
    """Another writer committed this bronze offset first."""


class QueryError(CryptovolError):
    """SQL that cannot be run over the lake."""

    def __init__(self, query: str, reason: str) -> None:
        super().__init__(query, reason)
        self.query, self.reason = query, reason

    def __str__(self) -> str:
        return f"query refused: {self.reason}"


class FeedError(CryptovolError):
    """An exchange endpoint refused us or cannot be reached."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


class BrokerError(CryptovolError):
    """Kafka is unreachable, or a topic is not what we expect."""

    def __init__(self, servers: str, reason: str) -> None:
        super().__init__(servers, reason)
        self.servers, self.reason = servers, reason

    def __str__(self) -> str:
        return f"kafka at {self.servers}: {self.reason}"


class ModelError(CryptovolError):
    """No champion, or its artefacts are not the ones we signed."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(model, reason)
        self.model, self.reason = model, reason

    def __str__(self) -> str:
        return f"model {self.model}: {self.reason}"


class SettingError(CryptovolError):
    """A setting or flag with a value we cannot use."""

    def __init__(self, name: str, value: object, rule: str) -> None:
        super().__init__(name, value, rule)
        self.name, self.value, self.rule = name, value, rule

    def __str__(self) -> str:
        return f"{self.name}={self.value!r}: {self.rule}"

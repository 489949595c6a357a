"""The file of results: one JSON document, rewritten whole after each item, so that
whatever ends a run leaves what it had measured.
"""

import dataclasses
import json
import os
import pathlib
from typing import Any

from packages import BenchError

SCHEMA = 1


class Store:
    """A document {schema, kind, …, items: {key: result}} and what is being measured."""

    def __init__(self, path: pathlib.Path, document: dict[str, Any]) -> None:
        self.path, self.document = path, document

    @classmethod
    def create(cls, path: pathlib.Path, header: dict[str, Any]) -> "Store":
        store = cls(path, {"schema": SCHEMA, **header, "items": {}, "not_run": []})
        store.save()
        store.set_current(None)
        return store

    @classmethod
    def load(cls, path: pathlib.Path) -> "Store":
        try:
            document = json.loads(path.read_text())
        except FileNotFoundError:
            raise BenchError(f"there are no results in {path}; run without --resume") from None
        except (OSError, ValueError) as error:
            raise BenchError(f"{path} cannot be read: {error}") from None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise BenchError(f"{path} has not the schema {SCHEMA} of benchmark results;"
                             " name another file with --output")
        return cls(path, document)

    @property
    def items(self) -> dict[str, dict[str, Any]]:
        return self.document["items"]

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(self.path.name + ".tmp")
        temporary.write_text(json.dumps(self.document, indent=1) + "\n")
        temporary.replace(self.path)

    def add(self, key: str, result: dict[str, Any]) -> None:
        self.items[key] = result
        self.save()

    @property
    def _current(self) -> pathlib.Path:
        return self.path.with_name(self.path.name + ".current")

    def set_current(self, current: "Current | None") -> None:
        """Says which item is in work, for whoever finds the process dead or stuck."""
        if current is None:
            self._current.unlink(missing_ok=True)
            return
        temporary = self._current.with_name(self._current.name + ".tmp")
        temporary.write_text(json.dumps(dataclasses.asdict(current)))
        os.replace(temporary, self._current)

    def current(self) -> "Current | None":
        try:
            return Current(**json.loads(self._current.read_text()))
        except (OSError, ValueError):
            return None


@dataclasses.dataclass(frozen=True)
class Current:
    """The item in work. Past `end`, in seconds since 1970, it is stuck."""

    key: str
    group: str
    end: float

"""Says which exporters a row is about: by booth, by code, by name, or because the whole file is one exporter's."""

import re
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, select

from crm.contacts.rules import company_key
from crm.exporters.models import Exporter
from crm.exporters.service import booth_number, exporter_at_booth

_SEPARATORS = re.compile(r"[,;/|\n、，]+")


class Exhibitors:
    """The exporters of one show, looked up once each. ``whole_file``: the exporter all rows belong to."""

    def __init__(self, session: Session, exhibition_id: int, whole_file: Exporter | None) -> None:
        self.session = session
        self.exhibition_id = exhibition_id
        self.whole_file = whole_file
        self._booths: dict[str, Exporter | None] = {}
        self._numbers: dict[int, str] = {}
        self._names: dict[str, Exporter] | None = None

    def named_by(self, facts: Mapping[str, Any]) -> tuple[list[Exporter], list[str]]:
        """Return the exporters a row's facts name, each once, and the names nobody is known by."""
        if self.whole_file is not None:
            return [self.whole_file], []
        found: dict[str, Exporter] = {}
        unknown = []
        for text in _parts(facts.get("booth", "")):
            exporter = self._at_booth(text)
            if exporter:
                found[exporter.code] = exporter
            else:
                unknown.append(text)
        for text in _parts(facts.get("exporter", "")):
            exporter = self._by_name(text)
            if exporter:
                found[exporter.code] = exporter
            else:
                unknown.append(text)
        return list(found.values()), unknown

    def booth_of(self, exporter: Exporter) -> str:
        """Return the exporter's booth at this show."""
        assert exporter.id is not None
        if exporter.id not in self._numbers:
            self._numbers[exporter.id] = booth_number(self.session, self.exhibition_id, exporter.id)
        return self._numbers[exporter.id]

    def _at_booth(self, number: str) -> Exporter | None:
        if number not in self._booths:
            self._booths[number] = exporter_at_booth(self.session, self.exhibition_id, number)
        return self._booths[number]

    def _by_name(self, text: str) -> Exporter | None:
        if self._names is None:
            self._names = {}
            for exporter in self.session.exec(select(Exporter)):
                for name in (exporter.code, *exporter.names.values()):
                    self._names.setdefault(company_key(name), exporter)
        return self._names.get(company_key(text))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]

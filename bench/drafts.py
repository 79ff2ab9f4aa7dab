"""How fast letters are drafted, beside the bare pipeline that does every stage anew for one language.

Ours is all of it: due steps claimed, facts of the lead, salutation, the letter in the buyer's language and in Korean,
text and HTML, checks, stored with a line of the log. The bare path renders the same letter to the same buyers once:
its compiled Jinja template, dates by Babel, Markdown by markdown-it, styles by css-inline, and stores nothing. The
limit is what remains when Markdown and styles are compiled into the template: filling in, one language, nothing stored.

``python -m bench drafts`` needs a few minutes; ``python -m bench.drafts --rounds 3 --many 2000`` is a quick look.
"""

import argparse
import gc
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import css_inline
import jinja2
from babel.dates import format_date
from babel.numbers import format_decimal
from markdown_it import MarkdownIt
from markupsafe import escape
from sqlmodel import Session

from crm import migrations
from crm.campaigns import service as campaigns
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.config import ROOT, Settings
from crm.core.db import Database
from crm.drafts import layout, service
from crm.drafts.facts import facts_of
from crm.drafts.language import locale_for
from crm.drafts.placeholders import values
from crm.drafts.subjects import Sources
from crm.drafts.templates import CLOSE, OPEN, Library, render
from crm.exporters.models import Booth, Catalogue, Exhibition, Exporter, ProductLine
from crm.jobs import BATCH
from crm.pipeline import service as pipeline

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
MET = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
LETTER = "thank_you"
AIM = 1.0
COLLEAGUES = 3
"""People of one firm, who get different wordings."""
FLAT = 8.0
"""MiB by which memory may grow over the second half of the letters."""
PEOPLE = {
    "US": ("Fairbank Stone Rivera Walker Eastwick Holm", "Stephen Nathan Ruth Alice Grace Peter"),
    "DE": ("Grünwald Krause Lindner Vogt Behrens Thoma", "Uwe Jana Petra Klaus Ines Rolf"),
    "GB": ("Ashworth Bell Carver Dunn Ellwood Firth", "Ian Fiona Hugh Moira Neil Una"),
    "MX": ("Peña Herrera Ibáñez Lozano Múgica Núñez", "Ana Luis Elena Jorge Rosa Raúl"),
    "ES": ("Alonso Bravo Castro Duarte Espino Fuentes", "Marta Iván Nuria Óscar Pilar Sergio"),
    "CL": ("Aguirre Bustos Cárcamo Donoso Errázuriz Fuenzalida", "Paz Diego Inés Hernán Sofía Tomás"),
    "JP": ("山田 田中 佐藤 吉田 高橋 伊藤", "修 健一 美咲 誠 直子 翔"),
    "CN": ("王 李 张 刘 陈 杨", "伟 芳 静 磊 敏 强"),
    "TW": ("林 黃 吳 許 鄭 謝", "志明 淑芬 家豪 雅婷 俊傑 怡君"),
    "KR": ("김 이 박 최 정 강", "민수 서연 도현 하나 준호 지우"),
    "SG": ("Tan Lim Ng Goh Chua Koh", "Wei Mei Jun Ling Hao Xin"),
    "AE": ("Al-Mazrouqi Haddad Khoury Nasser Rahman Saleh", "Ahmed Layla Omar Noor Sami Huda"),
}
"""Family and given names by country; nobody in particular."""
TITLES = {"JP": "課長", "CN": "总经理", "TW": "經理", "KR": "부장"}


# --- a world to write to ----------------------------------------------------------------------------------------------


def world(folder: Path, count: int) -> tuple[Database, Settings]:
    """Make a database with ``count`` buyers of twelve countries whose first letters are due."""
    db = Database(f"sqlite:///{folder / 'drafts.sqlite3'}")
    migrations.upgrade(db)
    settings = Settings()
    with db.writing() as session:
        show = Exhibition(
            code="SHOW2026",
            names={"ko": "2026 한빛산업전", "en": "HANBIT EXPO 2026", "ja": "ハンビッ産業展2026"},
            starts_on=date(2026, 11, 11),
            ends_on=date(2026, 11, 14),
        )
        session.add(show)
        session.flush()
        lines = [_exporter(session, show, number) for number in range(5)]
        for number in range(count):
            _buyer(session, show, lines[number // COLLEAGUES % len(lines)], number)
            if number % 1000 == 0:
                session.flush()
                session.expunge_all()
                show = session.get_one(Exhibition, show.id)
    with db.writing() as session:
        show = session.get_one(Exhibition, 1)
        pipeline.open_deals(session, now=NOW)
        for workflow in ("overseas-buyer", "domestic-buyer"):
            made = campaigns.create(session, settings, exhibition=show, workflow=workflow, now=NOW, by="bench")
            campaigns.start(session, made, by="bench", now=NOW)
        campaigns.enrol_leads(session, settings, now=NOW)
    return db, settings


def _exporter(session: Session, show: Exhibition, number: int) -> ProductLine:
    exporter = Exporter(
        code=f"GAON{number}",
        names={
            "ko": f"가온밸브{number}(주)",
            "en": f"Gaon Valve {number} Co., Ltd.",
            "ja": f"ガオンバルブ{number}株式会社",
        },
        address_ko="경기도 시흥시 공단1대로 77",
        address_en="77 Gongdan 1-daero, Siheung-si, Republic of Korea",
        phone=f"+8231000021{number}",
        website="https://gaon.example",
        contact_name_ko="최도현",
        contact_name_latin="Choi Do-hyun",
        contact_titles={"ko": "수출부장", "en": "Export Director", "ja": "輸出部長", "es": "Director de Exportación"},
        sender_email=f"sales{number}@gaon.example",
        created_at=NOW,
    )
    session.add(exporter)
    session.flush()
    assert exporter.id is not None and show.id is not None
    line = ProductLine(
        exporter_id=exporter.id,
        code="ACT",
        names={"ko": "액추에이터", "en": "actuators", "zh-Hans": "执行器", "zh-Hant": "致動器", "ja": "アクチュエータ",
               "es": "actuadores"},
        hs_code="8481.80",
        moq=50,
        moq_units={"ko": "개", "en": "pcs", "es": "unidades"},
        lead_time_days=45,
        incoterm="FOB",
        incoterm_place="Busan, Korea",
        price_from=Decimal("120.00"),
        price_valid_until=date(2027, 3, 31),
        certificates=["CE"],
    )  # fmt: skip
    session.add_all([line, Booth(exhibition_id=show.id, exporter_id=exporter.id, number=f"7B-{number}")])
    session.flush()
    assert line.id is not None
    for language in ("en", "ko", "ja"):
        url = f"https://gaon.example/{number}/{language}.pdf"
        session.add(
            Catalogue(exporter_id=exporter.id, product_line_id=line.id, language=language, title="Catalogue", url=url)
        )
    return line


def _buyer(session: Session, show: Exhibition, line: ProductLine, number: int) -> None:
    r = Random(number)
    country = list(PEOPLE)[number // COLLEAGUES % len(PEOPLE)]
    families, given = (words.split() for words in PEOPLE[country])
    family, first = f"{r.choice(families)}", r.choice(given)
    eastern = country in ("JP", "CN", "TW", "KR")
    name = f"{family}{' ' if country == 'JP' else ''}{first}" if eastern else f"{first} {family}"
    firm_id = number // COLLEAGUES + 1
    if number % COLLEAGUES == 0:
        name_of_firm = f"Buyer {firm_id} Inc."
        session.add(
            Organisation(id=firm_id, name=name_of_firm, match_key=f"b{firm_id}", country=country, created_at=NOW)
        )
        session.flush()
    contact = Contact(
        full_name=name, country=country, gender=r.choice(("m", "f", "")), title=TITLES.get(country, ""), created_at=NOW
    )
    contact.organisation_id = firm_id
    session.add(contact)
    session.flush()
    assert contact.id is not None and show.id is not None
    asked = r.sample(("catalogue", "price_list", "sample", "meeting"), r.randint(0, 3))
    session.add_all(
        [
            EmailAddress(contact_id=contact.id, address=f"buyer{number}@buyer.example"),
            Consent(
                contact_id=contact.id, exporter_id=line.exporter_id, basis="express_optin", given_at=MET,
                source="booth", evidence={"note": "QR"}, recorded_at=MET, recorded_by="bench",
            ),
            Lead(
                contact_id=contact.id, exporter_id=line.exporter_id, exhibition_id=show.id,
                product_line_id=line.id if number % 4 else None, met_at=MET + timedelta(hours=number % 60),
                booth="9A-210", requests=asked, rating=4, created_at=NOW,
            ),
        ]
    )  # fmt: skip


# --- the three sides --------------------------------------------------------------------------------------------------


class Ours:
    """Drafting as the worker does it."""

    def __init__(self, db: Database, settings: Settings, library: Library) -> None:
        self.db, self.settings, self.library = db, settings, library

    def __call__(self, count: int) -> int:
        made = 0
        while made < count:
            with self.db.writing() as session:
                done = service.draft_some(
                    session, self.settings, self.library, now=NOW + timedelta(days=2), limit=min(BATCH, count - made)
                )
            made += done.drafted
            if not done.taken:
                raise SystemExit("there are not enough letters to write")
        return made


class Bare:
    """Every stage anew for each letter, in the buyer's language only: Jinja, Babel, Markdown, CSS."""

    def __init__(self, known: Sequence[tuple[str, str, dict[str, Any], dict[str, Any]]], library: Library) -> None:
        self.known = known
        letter = library.letter(LETTER)
        plain = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
        self.templates = {language: plain.from_string(_source(library, language)) for language in letter.compiled}
        self.markdown = MarkdownIt("commonmark", {"breaks": True})
        self.inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def __call__(self, count: int) -> int:
        for number in range(count):
            self.one(*self.known[number % len(self.known)])
        return count

    def one(self, language: str, country: str, known: dict[str, Any], raw: dict[str, Any]) -> str:
        """Render one letter as a program without a cache does."""
        locale = locale_for(language, country)
        dates = {name: format_date(day, "long", locale=locale) for name, day in raw.items()}
        dates["moq"] = format_decimal(50, "#,##0", locale=locale)
        text = self.templates[language].render({**known, **dates})
        _subject, _sign, body = text.strip().partition("\n\n")
        body = self.markdown.render(body)
        return self.inliner.inline(
            layout._PAGE.format(language=language, css=layout._css(language), body=body, foot="")
        )


def _source(library: Library, language: str) -> str:
    """Return the first wording of each block: as long a text as any buyer gets."""
    return "\n\n".join(wordings[0].source for wordings in library.letter(LETTER).compiled[language])


class Limit:
    """Markdown and styles compiled into one template for each form a letter takes; only values are filled in."""

    def __init__(self, known: Sequence[tuple[str, str, dict[str, Any], dict[str, Any]]], library: Library) -> None:
        environment = jinja2.Environment(autoescape=True)
        self.pages: list[tuple[jinja2.Template, dict[str, str]]] = []
        letter, made = library.letter(LETTER), dict[str, jinja2.Template]()
        for language, _country, filled, _raw in known:
            facts = filled["facts"]
            blocks = render(letter, language, {language: facts}).blocks
            marked = [re.sub(f"{OPEN}([^{CLOSE}]*){CLOSE}", "\\1", block.marked) for block in blocks]
            html = layout.to_html([_Block(text) for text in marked], language)
            names = {name: value for name, value in filled.items() if isinstance(value, str) and len(value) > 3}
            for name, value in names.items():
                html = html.replace(str(escape(value)), "{{ " + name + " }}")
            if html not in made:
                made[html] = environment.from_string(html)
            self.pages.append((made[html], names))

    def __call__(self, count: int) -> int:
        for number in range(count):
            template, known = self.pages[number % len(self.pages)]
            template.render(known)
        return count


class _Block:
    def __init__(self, text: str) -> None:
        self.text = text


def known_of(db: Database, count: int) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Return for some buyers what the bare path fills in: language, country, values and days as they are."""
    with db.reading() as session:
        ids = list(range(1, count + 1))
        sources = Sources(session, ids)
        found = []
        for number in ids:
            about = sources.subject(number)
            language = about.card.language
            facts = facts_of(about, language, now=NOW)
            days = {"met_on": facts.met_on, "reply_by": facts.reply_by}
            raw = {name: day for name, day in days.items() if day is not None}
            found.append((language, about.card.country, {**values(facts, language), "facts": facts}, raw))
        return found


# --- measuring --------------------------------------------------------------------------------------------------------


def _round(sides: Mapping[str, Callable[[int], int]], count: int) -> dict[str, float]:
    """Let the sides take turns in slices, so that what else runs on the machine falls on all of them; return rates."""
    spent = dict.fromkeys(sides, 0.0)
    for _slice in range(count // BATCH):
        for name, side in sides.items():
            begun = time.perf_counter()
            side(BATCH)
            spent[name] += time.perf_counter() - begun
    return {name: count // BATCH * BATCH / seconds for name, seconds in spent.items()}


def _resident() -> float:
    gc.collect()
    status = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss:")) / 1024


def measure(rounds: int, each: int, many: int) -> bool:
    """Print rates, ratios to the bare path of the same round, and how memory grows; return whether the aims are met."""
    with tempfile.TemporaryDirectory() as folder:
        db, settings = world(Path(folder), (rounds + 1) * each + many + 100)
        library = Library(ROOT / "templates" / "mail")
        known = known_of(db, 600)
        sides: dict[str, Callable[[int], int]] = {
            "ours": Ours(db, settings, library), "bare": Bare(known, library), "limit": Limit(known, library),
        }  # fmt: skip
        gc.collect()
        gc.freeze()  # as the worker does
        found: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds + 1):
            rates = _round(sides, each)
            if number:  # the first round warms up
                for name, rate in rates.items():
                    found[name].append(rate)
        ratios = {
            name: statistics.median(mine / base for mine, base in zip(rates, found["bare"], strict=True))
            for name, rates in found.items()
        }
        for name, rates in found.items():
            spread = f"{min(rates):,.0f}-{max(rates):,.0f}"
            sys.stdout.write(
                f"{name:6} {statistics.median(rates):8,.0f} drafts/s ({spread})  {ratios[name]:5.2f} x bare\n"
            )
        return _report(ratios["ours"], _memory(sides["ours"], many), many)


def _memory(ours: Callable[[int], int], many: int) -> list[float]:
    """Return the MiB in use before, half-way through and after ``many`` letters."""
    levels = [_resident()]
    for _half in range(2):
        ours(many // 2)
        levels.append(_resident())
    return levels


def _report(ratio: float, levels: Sequence[float], many: int) -> bool:
    first, second = levels[1] - levels[0], levels[2] - levels[1]
    sys.stdout.write(
        f"memory {levels[0]:.1f} MiB, {first:+.1f} after {many // 2:,} drafts, {second:+.1f} after {many // 2:,} more\n"
    )
    holds = ratio >= AIM and second <= FLAT
    sys.stdout.write(
        f"aim: {AIM:.2f} x bare or more, at most {FLAT:.0f} MiB more in the second half: "
        f"{'holds' if holds else 'does not hold'}\n"
    )
    return holds


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--each", type=int, default=1000, help="letters of a round and side")
    parser.add_argument("--many", type=int, default=10_000, help="letters over which memory is watched")
    chosen = parser.parse_args(arguments)
    measure(chosen.rounds, chosen.each, chosen.many)


if __name__ == "__main__":
    main(sys.argv[1:])

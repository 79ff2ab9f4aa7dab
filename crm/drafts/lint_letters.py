"""Looks for what is wrong in letters as they are received: both parts, footer and mail, written from samples. Pure."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache, lru_cache

from crm.clearance import footer_texts
from crm.core.errors import Refused
from crm.core.i18n import _
from crm.drafts import layout, mailhtml, texts
from crm.drafts.language import AT_HOME, LANGUAGES, VARIANTS
from crm.drafts.names import NameParts, salute
from crm.drafts.phrases import all_phrases
from crm.drafts.placeholders import HOME_SAMPLE, SAMPLES, Facts, least
from crm.drafts.rules import check_content
from crm.drafts.seasons import SEASONS
from crm.drafts.templates import Letter, RenderedLetter, missing, render
from crm.mail.compose import HARD_LINE, Outgoing, compose

SAMPLE_DAY = datetime(2026, 4, 15, 1, 0, tzinfo=UTC)
LARGEST_MAIL = 100_000
"""Bytes of a mail without attachments; a letter has a tenth of it."""

HARD_BUYERS: Mapping[str, NameParts] = {
    "the longest name": NameParts(
        full_name="María Ximena de los Ángeles García-Zúñiga y Fernández de Córdoba",
        gender="f",
        company="Novaterra Sistemas de Tratamiento Integral de Aguas Industriales S.A. de C.V.",
        country="MX",
    ),
    "a right-to-left company": NameParts(company="شركة الواحة الخضراء للتجارة ذ.م.م", country="AE"),
    "signs in the name": NameParts(company="=Elmaro *Packaging* [SG] <Pte> & Ltd._", country="SG"),
    "no name at all": NameParts(),
}


@dataclass(frozen=True)
class Sample:
    """One letter to be written: by which file, from which facts; ``told`` says what is special about them.

    ``whole`` is a letter whose HTML and mail are looked at too; ``hard`` makes any letter long.
    """

    tag: str
    facts: Facts
    told: str
    turn: int = 0
    whole: bool = True
    hard: bool = False

    @property
    def language(self) -> str:
        return VARIANTS[self.tag][0] if self.tag in VARIANTS else self.tag

    @property
    def country(self) -> str | None:
        return max(VARIANTS[self.tag][1]) if self.tag in VARIANTS else None


@dataclass(frozen=True)
class Received:
    """A letter as its reader gets it."""

    sample: Sample
    letter: RenderedLetter
    text: str
    page: str
    mail: bytes


@dataclass(frozen=True)
class Found:
    """A finding in a written letter: in which file and block, and with which sample it shows.

    ``rule`` is the number of a phrase of the list; ``message`` then only the words found.
    """

    sample: Sample
    block: str
    code: str
    message: str
    hint: str = ""
    rule: int | None = None


def samples(letter: Letter, tag: str) -> Iterator[Sample]:
    """Yield what to write a letter from: everything known, little, each fact missing by itself, and hard buyers."""
    language = VARIANTS[tag][0] if tag in VARIANTS else tag
    full = HOME_SAMPLE if tag == AT_HOME else SAMPLES[language]
    yield from (
        Sample(tag, full, _("everything known"), turn) for turn in range(max(letter.wordings.values(), default=1))
    )
    yield Sample(tag, least(full, letter.needs), _("as little known as may be"))
    yield Sample(tag, replace(full, messenger="WeChat hanbit-valve"), _("with a messenger"), hard=True)
    for name, known in _each_missing(full):
        yield Sample(tag, known, _("without {name}", name=name), whole=False)
    for told, buyer in HARD_BUYERS.items():
        address = salute(buyer, language)
        yield Sample(tag, replace(full, greeting=address.greeting, mention=address.mention), told, hard=True)
    if any(name.startswith("season") for name in letter.placeholders):
        yield from (Sample(tag, replace(full, season=season), season) for season in SEASONS)


def _each_missing(full: Facts) -> Iterator[tuple[str, Facts]]:
    bare = least(full)
    for field in fields(Facts):
        if getattr(full, field.name) != getattr(bare, field.name):
            yield field.name, replace(full, **{field.name: getattr(bare, field.name)})


def check_letter(letter: Letter, tag: str) -> Iterator[Found]:
    """Write ``letter`` by the file ``tag`` from every sample and yield what is wrong with what comes out."""
    for sample in samples(letter, tag):
        if missing(letter, sample.facts, sample.language, sample.country):
            continue  # such a letter is held, not written
        try:
            received = receive(letter, sample)
        except Refused as error:
            yield Found(sample, "", "not_written", error.message)
            continue
        for look in (_rules, _text, *((_page, _links, _mail) if sample.whole else ())):
            yield from look(received)


def receive(letter: Letter, sample: Sample) -> Received:
    """Write one letter and compose its mail, legal footer included. Raises Refused where it cannot be written."""
    written = render(letter, sample.language, {sample.language: sample.facts}, country=sample.country, turn=sample.turn)
    if not sample.whole:
        return Received(sample, written, "\n\n".join(_plain(block.text) for block in written.blocks), "", b"")
    footer = sample_footer(sample.language)
    text = layout.to_text(written.blocks, footer=footer)
    page = layout.to_html(written.blocks, sample.language, footer=footer)
    return Received(sample, written, text, page, _composed(written.subject, text, page, sample))


_plain = lru_cache(maxsize=4096)(layout.plain)  # most blocks are the same in most samples


@dataclass(frozen=True)
class _Footer:
    lines: tuple[str, ...]


LINK = "https://ieum.example/u/eyJpZCI6MjE0NzQ4MzY0N30.aRk3Yw.Zx8mQ2r0wq1kJvT5bN7cPfLhEdS"


@cache
def sample_footer(language: str) -> _Footer:
    """Return the footer of a commercial letter as clearance writes it, for an invented exporter."""
    name = SAMPLES[language].exporter
    known = (
        (footer_texts.ON_BEHALF, {"operator": "KINTEX", "exporter": name}),
        (footer_texts.POSTAL_ADDRESS, {"value": "12 Gongdan-daero, Siheung-si, Gyeonggi-do 15000, KOREA"}),
        (footer_texts.EMAIL, {"value": "sales@hanbit.example"}),
        (footer_texts.PHONE, {"value": "+82 31-000-0101"}),
        (footer_texts.PRIVACY, {"value": "https://ieum.example/privacy"}),
    )
    lines = [template[language].format(**values) for template, values in known]
    refusal = (footer_texts.UNSUBSCRIBE[language], LINK, footer_texts.FREE_OF_CHARGE[language])
    return _Footer((name, *lines, *refusal))


def _composed(subject: str, text: str, page: str, sample: Sample) -> bytes:
    outgoing = Outgoing(
        from_name=sample.facts.exporter,
        from_address="sales@hanbit.example",
        to_name=sample.facts.mention,
        to_address="buyer@buyer.example",
        subject=subject,
        text=text,
        html=page,
        message_id="<5f2b8c1de7a94c03b6d1f0a2c4e6d8b1@ieum.example>",
        date=SAMPLE_DAY,
        list_unsubscribe_url=LINK,
        list_unsubscribe_mailto="unsubscribe+eyJpZCI6MX0@ieum.example",
        language=sample.language,
    )
    return compose(outgoing)


# --- what is looked at -----------------------------------------------------------------------------------------------


def _rules(received: Received) -> Iterator[Found]:
    """What a person who edits the letter would be told too."""
    sample, written = received.sample, received.letter
    names = (sample.facts.greeting, sample.facts.mention)
    for finding in check_content(
        sample.language, written.subject, [block.text for block in written.blocks], names=names
    ):
        if sample.hard and finding.code.startswith("long_"):
            continue
        if "rule" in finding.params:
            if not all_phrases()[int(finding.params["rule"])].concerns(sample.country or ""):
                continue
            yield Found(sample, "", finding.code, str(finding.params["text"]), rule=int(finding.params["rule"]))
            continue
        title, sentence = texts.say(finding)
        block = "subject" if finding.code.startswith("subject") else ""
        code = "untranslated" if finding.code == "wrong_script" else finding.code  # as it is called line by line
        yield Found(sample, block, code, f"{title}. {sentence}")


_TEXT_FAULTS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("stripped_tags", re.compile(r"</?[a-zA-Z][^>\s]*(?: [^>]*)?>(?<!@)")),
    ("entity", re.compile(r"&(?:#\d+|#x[0-9a-f]+|amp|lt|gt|quot|nbsp);")),
    ("markdown", re.compile(r"\*\*|__|\]\(|^#{1,6} |\\[*_\[\]<`]", re.MULTILINE)),
    ("double_space", re.compile(r"\S {2,}\S")),
    ("trailing_space", re.compile(r"[ \t\u3000]+$", re.MULTILINE)),
    ("empty_lines", re.compile(r"\n{3,}|\A\s|\n\n\Z")),
    ("empty_brackets", re.compile(r"\(\s*\)|（\s*）|\[\s*\]|【\s*】|「\s*」|“\s*”")),
    (
        "stray_sign",
        re.compile(r"^[,.;:!?、。，；：！？)）]|[,、，;；] *[,.、。，;；]|(?<!\d) [,;.](?:\s|$)", re.MULTILINE),
    ),
    ("open_end", re.compile(r"[(（【「,、，](?=\n\n|\n?\Z)")),
)


def _said(code: str) -> tuple[str, str]:
    """Return what is wrong and what to do, for a fault of the text part."""
    said = {
        "stripped_tags": (_("The text part shows a tag"), _("Write words; the HTML is made from them.")),
        "entity": (_("The text part shows a character of HTML"), _("Write the character itself.")),
        "markdown": (_("The text part shows a sign of Markdown"), _("Close the emphasis or the link.")),
        "double_space": (_("Two spaces stand one after the other"), _("Put the space inside the condition.")),
        "trailing_space": (_("A line ends in a space"), _("Put the space inside the condition.")),
        "empty_lines": (_("Empty lines are left"), _("Put the empty line inside the condition.")),
        "empty_brackets": (_("Brackets are left empty"), _("Put the brackets inside the condition.")),
        "stray_sign": (_("A punctuation mark stands alone"), _("Put it inside the condition.")),
        "open_end": (_("A paragraph ends in the middle"), _("Put the end of the sentence inside the condition.")),
    }
    return said[code]


def _text(received: Received) -> Iterator[Found]:
    """The text part is a letter by itself: no remains of a tag, of Markdown or of a condition."""
    for block in received.letter.blocks:
        text = _plain(block.text)
        bare = _without_values(text, received.sample.facts)
        for code, pattern in _TEXT_FAULTS:
            if code == "open_end" and block.id == "closing":
                continue  # Kind regards,
            if found := pattern.search(bare):
                message, hint = _said(code)
                shown = " ".join(bare[max(found.start() - 15, 0) : found.end() + 15].split())
                yield Found(received.sample, block.id, code, f"{message}: “{shown}”", hint)
    yield from _announced_in_vain(received)
    yield from _label_without_value(received)
    longest = max(len(line.encode()) for line in received.text.split("\n"))
    if longest > HARD_LINE:
        yield Found(
            received.sample, "", "long_line",
            _("A line of the text has {length} octets; a mail line may have {limit}.", length=longest, limit=HARD_LINE),
            _("Make two paragraphs of it."),
        )  # fmt: skip


def _announced_in_vain(received: Received) -> Iterator[Found]:
    """A block that ends in a colon, and behind it neither a list nor an address."""
    blocks = received.letter.blocks
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        ends = block.id != "greeting" and re.search(r"[:：]\s*\Z", _plain(block.text))
        if ends and not (following and re.match(r"- |\d+\. |https?:", _plain(following.text))):
            yield Found(
                received.sample, block.id, "open_end",
                _("The block ends in a colon and nothing follows."), _("Put the line inside the condition."),
            )  # fmt: skip


def _without_values(text: str, facts: Facts) -> str:
    """Return ``text`` with names that may hold any sign replaced by one word."""
    for name in (facts.greeting, facts.mention):
        text = text.replace(name, "Name")
    return re.sub(r" ?<https?://[^>]+>", "", text)


def _label_without_value(received: Received) -> Iterator[Found]:
    """``Tel.`` and nothing behind it: a label whose value was asked for in another condition."""
    for block in received.letter.blocks:
        for line in _plain(block.text).split("\n"):
            if re.fullmatch(r"(?:- )?[^\W\d_]{1,12}[.:：]", line.strip()) and block.id == "signature":
                yield Found(
                    received.sample, block.id, "open_end",
                    _("The label “{text}” has nothing behind it.", text=line.strip()),
                    _("Put it inside the condition."),
                )  # fmt: skip


def _page(received: Received) -> Iterator[Found]:
    for fault in mailhtml.check_page(received.page):
        yield Found(received.sample, "", "html", fault.message, fault.hint)


_URL = re.compile(r"https?://[!-;=?-~]*[/=&#\w-]", re.ASCII)


def _links(received: Received) -> Iterator[Found]:
    """The same addresses in both parts, none broken over lines."""
    hrefs = [html.unescape(found) for found in re.findall(r'href="(https?://[^"]*)"', received.page)]
    named = _URL.findall(received.text)
    if hrefs != named:
        odd = sorted(set(hrefs) ^ set(named)) or hrefs
        yield Found(
            received.sample, "", "links_differ",
            _("Text and HTML do not carry the same links: {links}", links=", ".join(odd[:3])),
            _("Write the address on a line of its own, as a placeholder."),
        )  # fmt: skip


def _mail(received: Received) -> Iterator[Found]:
    longest = max(map(len, received.mail.split(b"\r\n")))
    if longest > HARD_LINE:
        yield Found(
            received.sample, "", "long_line",
            _("A line of the mail has {length} octets; {limit} are allowed.", length=longest, limit=HARD_LINE),
        )  # fmt: skip
    if len(received.mail) > LARGEST_MAIL:
        yield Found(
            received.sample, "", "large",
            _("The mail has {size} bytes; {limit} are enough.", size=len(received.mail), limit=LARGEST_MAIL),
        )  # fmt: skip


def languages_of(letter: Letter) -> tuple[str, ...]:
    """Return every file that writes the letter: languages first, then variants."""
    return tuple(tag for tag in (*LANGUAGES, *VARIANTS) if tag in letter.compiled)

"""Walks every letter in every language and variant, for forty buyers and every kind of knowledge, in text and in HTML.

The letters of one file are written once and looked at by several tests; what is looked at block by block is remembered,
since forty buyers differ in the salutation and hardly anywhere else.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from crm.core.config import ROOT
from crm.drafts import scripts
from crm.drafts.language import AT_HOME, LANGUAGES, VARIANTS
from crm.drafts.layout import block_html, links, plain, to_html, to_text
from crm.drafts.names import NameParts, salute
from crm.drafts.placeholders import HOME_SAMPLE, SAMPLES, Facts, Request, least, values
from crm.drafts.rules import SUBJECT_LIMITS, check_content
from crm.drafts.seasons import SEASONS
from crm.drafts.templates import CLOSE, OPEN, Library, RenderedBlock, RenderedLetter, missing, render

LETTERS = (
    "thank_you",
    "catalogue",
    "sample_offer",
    "sample_feedback",
    "reminder",
    "quotation",
    "quotation_check",
    "meeting",
    "negotiation",
    "distributor_proposal",
    "close",
    "invitation",
    "request_answer",
    "season",
)
WITH_CATALOGUE = ("thank_you", "catalogue", "reminder")
FOLDER = ROOT / "templates" / "mail"
FILES = (*LANGUAGES, *VARIANTS)
COLLEAGUES = 3
"""So many people of one firm must be able to compare their letters."""


@cache
def library() -> Library:
    return Library(FOLDER)


# --- the buyers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Buyer:
    hard: str
    parts: NameParts

    @property
    def names(self) -> tuple[str, ...]:
        known = (self.parts.full_name, self.parts.name_alt, self.parts.company)
        return tuple(filter(None, known))


def _buyers() -> tuple[Buyer, ...]:
    found = YAML(typ="safe").load((Path(__file__).parent / "buyers.yaml").read_text(encoding="utf-8"))
    return tuple(Buyer(one.pop("hard"), NameParts(**one)) for one in found)


BUYERS = _buyers()
PLAIN = Buyer("one whom nothing is hard about", NameParts(full_name="Stephen Fairbank"))


@lru_cache(maxsize=1024)
def salutation(buyer: Buyer, language: str) -> tuple[str, str]:
    found = salute(buyer.parts, language)
    return found.greeting, found.mention


# --- what is known ---------------------------------------------------------------------------------------------------

Change = Callable[[Facts], Facts]


_UNKNOWN = {one.name: one.default for one in fields(Facts)}


def _without(*names: str) -> Change:
    return lambda facts: replace(facts, **{name: _UNKNOWN[name] for name in names})


def _asked(*codes: Request) -> Change:
    return lambda facts: replace(facts, requested=codes, attached=False, certificates=())


def _part(whole: str, **changed: object) -> Change:
    return lambda facts: replace(facts, **{whole: replace(getattr(facts, whole), **changed)})


KNOWLEDGE: Mapping[str, Change] = {
    "all": lambda facts: facts,
    "not_met": _without("met_on", "requested", "promised_by"),
    "not_met_but_asked": _without("met_on"),
    "not_noted": _without("noted", "rating"),
    "no_product": _without("product"),
    "no_product_no_talk": _without("product", "met_on", "booth"),
    "no_price": _without("price"),
    "no_terms": _without("price", "moq", "lead_time_days", "incoterm", "hs_code", "certificates"),
    "no_catalogue": _without("catalogue_url", "catalogue_language", "attached", "catalogue_expires"),
    "a_link_to_the_catalogue": _without("attached"),
    "a_link_that_stays": _without("attached", "catalogue_expires", "catalogue_language"),
    "no_deadline": _without("reply_by", "promised_by"),
    "nobody_to_call": _without("sender_title", "sender_phone", "website"),
    "a_messenger": lambda facts: replace(facts, messenger="WhatsApp"),
    "nothing_asked": _without("requested"),
    **{f"asked_{code.value}": _asked(code) for code in Request},
    "a_place_to_meet": _part("meeting", online=False),
    "a_meeting_not_settled": _part("meeting", online=False, place=None, minutes=None),
    "nothing_agreed": _part("negotiation", agreed=(), until=None),
    "no_proposals": _part("negotiation", proposals=()),
    "no_quotation_yet": _without("quotation"),
    "a_bare_quotation": _part("quotation", issued_on=None, lead_time_days=None, payment=None, packing=None),
    "not_exclusive": _part("contract", kind="non_exclusive"),
    "no_day_of_the_exhibition": _without("next_from", "next_booth"),
    "no_booth_yet": _without("next_booth"),
    **{f"season_{code}": lambda facts, code=code: replace(facts, season=code) for code in SEASONS},
    "no_year": _without("season_year"),
}


def reader(file: str) -> tuple[str, str | None]:
    """Return the language of a file and the country of its readers, None for the language itself."""
    return (VARIANTS[file][0], min(VARIANTS[file][1])) if file in VARIANTS else (file, None)


def full(file: str) -> Facts:
    """Return all facts for the readers of a file."""
    language, country = reader(file)
    return HOME_SAMPLE if file == AT_HOME else replace(SAMPLES[language], country=country or SAMPLES[language].country)


@cache
def known(name: str, file: str) -> Mapping[str, Facts]:
    """Return the kinds of knowledge that make a difference to a letter, by name."""
    letter, (language, country) = library().letter(name), reader(file)
    everything = full(file)
    kinds = {kind: change(everything) for kind, change in KNOWLEDGE.items()}
    kinds["least"] = least(everything, letter.needs)
    found: dict[str, str] = {}
    for kind, facts in kinds.items():
        if not missing(letter, facts, language, country):
            found.setdefault(repr(values(facts, language, sorted(letter.placeholders), home=file == AT_HOME)), kind)
    return {kind: kinds[kind] for kind in found.values()}


@dataclass(frozen=True)
class Written:
    """A letter as it was written to a buyer, and from what."""

    kind: str
    turn: int
    buyer: Buyer
    letter: RenderedLetter

    def __str__(self) -> str:
        return f"{self.kind}, turn {self.turn}, {self.buyer.hard}: {self.letter.subject}"


def write(name: str, file: str, facts: Facts, buyer: Buyer, turn: int = 0) -> RenderedLetter:
    language, country = reader(file)
    greeting, mention = salutation(buyer, language)
    mine = replace(facts, greeting=greeting, mention=mention)
    return render(library().letter(name), language, {language: mine}, country=country, turn=turn)


@dataclass(frozen=True)
class Walk:
    """Everything that one file of one letter writes to the forty."""

    name: str
    file: str
    written: tuple[Written, ...]

    @property
    def language(self) -> str:
        return reader(self.file)[0]

    def blocks(self) -> Iterator[tuple[Written, RenderedBlock]]:
        """Yield each block that differs from those before it."""
        seen = set()
        for written in self.written:
            for block in written.letter.blocks:
                if block.marked not in seen:
                    seen.add(block.marked)
                    yield written, block

    def once(self) -> Iterator[Written]:
        """Yield every buyer with all knowledge, and every kind of knowledge with one buyer in every wording."""
        seen = set()
        for written in self.written:
            key = (written.kind, written.turn)
            if written.kind == "all" or key not in seen:
                seen.add(key)
                yield written


def files_of(name: str) -> list[str]:
    """Return the languages and the variants that a letter has."""
    return [file for file in FILES if file in LANGUAGES or (FOLDER / name / f"{file}.md").is_file()]


@pytest.fixture(scope="module", params=[(name, file) for name in LETTERS for file in files_of(name)], ids="-".join)
def walk(request) -> Walk:
    name, file = request.param
    written = [
        Written(kind, place % COLLEAGUES, buyer, write(name, file, facts, buyer, place % COLLEAGUES))
        for kind, facts in known(name, file).items()
        for place, buyer in enumerate(BUYERS)
    ]
    return Walk(name, file, tuple(written))


def test_there_are_forty_buyers_who_are_all_different():
    assert len({buyer.parts for buyer in BUYERS}) == 40
    assert len({buyer.parts.country for buyer in BUYERS}) > 20


def test_all_letters_are_there_and_each_has_one_for_koreans_at_home():
    assert {letter.name for letter in library().letters()} == set(LETTERS)
    assert all(AT_HOME in letter.compiled for letter in library().letters())


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    return plain(text)


# --- form ------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\bNone\b|\bundefined\b|\{\{|\}\}|\{%|%\}|\[\[|\]\]|[\ue000-\uf8ff\x1e\ufffd]|\bTrue\b|\bFalse\b")


def test_the_subject_is_one_line_within_the_limit_of_its_language(walk):
    limit = SUBJECT_LIMITS[walk.language]
    for subject, written in {written.letter.subject: written for written in walk.written}.items():
        assert subject == " ".join(subject.split()), written
        assert 0 < len(subject) <= limit, written


def test_nothing_of_the_template_is_left(walk):
    for written in walk.written:
        assert not _TOKEN.search(written.letter.subject), written
        assert written.letter.variant == walk.file, written
    for written, block in walk.blocks():
        assert not _TOKEN.search(shown(block.text)), written


_BROKEN_LIST = re.compile(r"^(?:- |\d+\. ).*\n\n(?:- |\d+\. )", re.MULTILINE)
_LONE_SIGNS = re.compile(
    r"\(\s*[),]|（\s*[）、，]|【\s*】|[ \u3000][,.;:!?、。，](?=\s|$)|,,|,\.|\.\.|、、|。。|，，|，。|、。"
    r"|：。|：：|: ?:|\(\s|(?<!:)\s\)"
)


def test_no_condition_leaves_a_double_space_an_empty_line_or_a_lone_sign(walk):
    for written, block in walk.blocks():
        assert block.text == block.text.strip(), written
        assert not re.search(r"[ \u3000]{2}|[ \t]\n|\n{3}|\u00a0", block.text), (str(written), block.text)
        assert not _BROKEN_LIST.search(block.text), (str(written), block.text)
        if block.id != "greeting":  # a name may hold any sign
            assert not _LONE_SIGNS.search(block.text), (str(written), block.text)


def test_what_announces_a_list_is_followed_by_it(walk):
    for written in walk.once():
        blocks = written.letter.blocks
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            lines = [line for line in block.text.split("\n") if line]
            announcing = [place for place, line in enumerate(lines) if re.search("[:：]$", line)]
            for place in announcing if block.id != "greeting" else ():
                after = lines[place + 1] if place + 1 < len(lines) else following.text if following else ""
                assert re.match(r"- |\d+\. |https?:", after), (str(written), block.text)


_ORPHANS: Mapping[str, re.Pattern[str]] = {
    "ko": re.compile(r"^\s*(?:님|께|귀중|드림|씨)|\s(?:께|드림)\s*,|님\s*님", re.MULTILINE),
    "en": re.compile(r"^Dear\s*(?:(?:Mr|Ms|Dr|Mx|Khun|Team|Professor|Eng)\.?)?\s*,|Dear  |\bthe\s*[.,]", re.MULTILINE),
    "zh-Hans": re.compile(r"^\s*(?:先生|女士|总经理|负责人)|尊敬的[：，]|尊敬的(?:先生|女士)", re.MULTILINE),
    "zh-Hant": re.compile(r"^\s*(?:先生|女士|負責人|您好|敬上)", re.MULTILINE),
    "ja": re.compile(r"^\s*(?:様|先生|御中|の)|(?:^|\s)ご担当者$|\s様\s*様", re.MULTILINE),
    "es": re.compile(r"Estimad[oa](?:/a)?\s*:|\b(?:Sr|Sra|Ing|Dr|Dra|Lic)\.\s*:|A la atención de\s*$", re.MULTILINE),
}


def test_no_honorific_stands_without_a_name(walk):
    for written, block in walk.blocks():
        found = _ORPHANS[walk.language].search(shown(block.text))
        assert not found, (str(written), found[0] if found else "")


# --- language --------------------------------------------------------------------------------------------------------

_OWN: Mapping[str, frozenset[str]] = {
    "ko": frozenset({scripts.HANGUL, scripts.LATIN}),
    "en": frozenset({scripts.LATIN}),
    "es": frozenset({scripts.LATIN}),
    "zh-Hans": frozenset({scripts.HAN, scripts.LATIN}),
    "zh-Hant": frozenset({scripts.HAN, scripts.LATIN}),
    "ja": frozenset({scripts.HAN, scripts.KANA, scripts.LATIN}),
}
_FOREIGN_HAN: Mapping[str, Callable[[str], bool]] = {
    "zh-Hans": scripts.is_traditional,
    "zh-Hant": scripts.is_simplified,
    "ja": scripts.is_foreign_to_japanese,
}
_ENGLISH = r"\b(?:the|and|you|your|our|with|for|please|of|thank|regards|dear)\b"
_SPANISH = r"[ñ¿¡áéíóú]|\b(?:el|la|los|las|de|que|usted|nuestros|gracias|para|una)\b"
_FOREIGN_WORDS: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(_SPANISH, re.IGNORECASE),
    "es": re.compile(_ENGLISH, re.IGNORECASE),
    **{
        language: re.compile(f"{_ENGLISH}|{_SPANISH}", re.IGNORECASE)
        for language in LANGUAGES
        if language not in ("en", "es")
    },
}


def own(marked: str) -> str:
    """Return what the template itself says, without the values."""
    return re.sub(f"{OPEN}[^{CLOSE}]*{CLOSE}", " ", marked)


def test_the_template_says_nothing_in_another_language(walk):
    foreign = _FOREIGN_HAN.get(walk.language, lambda _char: False)
    for written, block in walk.blocks():
        text = re.sub(r"https?://\S+|n\.º", "", own(block.marked))
        strangers = [char for char in text if scripts.script_of(char) not in {*_OWN[walk.language], ""}]
        assert not strangers, (str(written), block.text)
        assert not [char for char in text if foreign(char)], (str(written), block.text)
        word = _FOREIGN_WORDS[walk.language].search(text)
        assert not word, (str(written), word[0] if word else "")


def test_every_letter_passes_its_own_checks(walk):
    for written in walk.once():
        texts = [block.text for block in written.letter.blocks]
        found = check_content(walk.language, written.letter.subject, texts, names=written.buyer.names)
        assert [one for one in found if not one.code.startswith("long_")] == [], (str(written), found)


@pytest.mark.parametrize(("name", "file"), [(name, file) for name in LETTERS for file in files_of(name)])
def test_a_letter_is_no_longer_than_a_buyer_reads(name, file):
    """To a buyer of an ordinary name: what a long one adds is not the letter's fault."""
    for kind, facts in known(name, file).items():
        for turn in range(COLLEAGUES):
            letter = write(name, file, facts, PLAIN, turn)
            found = check_content(reader(file)[0], letter.subject, [block.text for block in letter.blocks])
            assert found == [], (kind, turn, found)


@pytest.mark.parametrize("name", LETTERS)
def test_a_japanese_line_has_at_most_35_characters(name):
    for kind, facts in known(name, "ja").items():
        for turn in range(COLLEAGUES):
            blocks = write(name, "ja", facts, PLAIN, turn).blocks
            for line in "\n".join(shown(block.text) for block in blocks).split("\n"):
                width = sum(1 if unicodedata.east_asian_width(char) in "WF" else 0.5 for char in line)
                assert width <= 35 or _is_item(line), (kind, turn, width, line)


# --- text and HTML ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def page(marked: str) -> str:
    return block_html(marked)


def test_text_and_html_carry_the_same_links_and_only_those_we_wrote(walk):
    ours = ("https://hanbit.example",)
    for written, block in walk.blocks():
        found = re.findall(r'href="([^"]+)"', page(block.marked))
        assert found == links(block.text), written
        assert found == re.findall(r"https?://[\w./-]+\w", shown(block.text), re.ASCII), written
        assert all(link.startswith(ours) for link in found), (str(written), found)


_TAGS = {"div", "p", "br", "ul", "ol", "li", "a", "mark"}
_FRAME = {"table", "tbody", "tr", "td"}  # what keeps the letter narrow in Word


def test_no_markup_of_a_name_reaches_the_page(walk):
    for written, block in walk.blocks():
        assert set(re.findall(r"<(\w+)", page(block.marked))) <= _TAGS, (str(written), block.text)


def test_the_whole_page_says_its_language_and_holds_nothing_but_the_letter(walk):
    for written in walk.written[-4:]:  # nothing known, and the three who mean harm
        whole = to_html(written.letter.blocks, walk.language)
        assert f'<html lang="{walk.language}" dir="ltr">' in whole
        assert set(re.findall(r"<(\w+)", whole.partition("<body")[2])) <= _TAGS | _FRAME, written
        assert "\n\n\n" not in to_text(written.letter.blocks), written


# --- the same in every language --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_says_the_same_blocks_in_every_language(name):
    for kind in known(name, "ko"):
        said = {
            file: [block.id for block in write(name, file, known(name, file)[kind], PLAIN).blocks]
            for file in files_of(name)
            if kind in known(name, file)
        }
        at_home = said.pop(AT_HOME, [])
        assert all(blocks == said["ko"] for blocks in said.values()), (kind, said)
        assert [block for block in said["ko"] if block in at_home] == at_home, (kind, at_home)


# --- colleagues of one firm ------------------------------------------------------------------------------------------

_FORMULAS = {
    "안녕하십니까",
    "감사합니다",
    "您好",
}
"""Forms of greeting that have no other wording."""


def sentences(letter: RenderedLetter, sender: str) -> set[str]:
    """Return what a letter says in sentences, each value as a blank.

    Left out is what is the same because it is a fact: lists with the line that announces them in the same block, the
    salutation, the signature, and who writes.
    """
    found: set[str] = set()
    for block in letter.blocks:
        if block.id not in ("greeting", "signature"):
            for line in _prose(block.marked):
                found |= {part for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", line) if sender not in part}
    masked = {re.sub(f"{OPEN}[^{CLOSE}]*{CLOSE}", "…", one).strip(" .。！!,，:：") for one in found}
    return {one for one in masked if any(char.isalpha() for char in one)} - _FORMULAS


_TERM = re.compile(rf"^[^{OPEN}]{{1,25}}[:：] ?{OPEN}[^{CLOSE}]*{CLOSE}$")  # ``Total: USD 12.50``


def _prose(marked: str) -> list[str]:
    """Return the paragraphs of a block, each on one line as Japanese breaks a sentence over several."""
    paragraphs = marked.split("\n\n")
    found: list[str] = []
    for paragraph, following in zip(paragraphs, [*paragraphs[1:], ""], strict=True):
        lines = [line for line in paragraph.split("\n") if not _is_item(line) and not _TERM.match(line)]
        kept = lines[:-1] if _is_item(following) else lines
        found.append("".join(line if re.search("[。、：]$", line) else f"{line} " for line in kept))
    return found


def _is_item(line: str) -> bool:
    return bool(re.match(r"- |\d+\. ", line))


@pytest.mark.parametrize(("name", "file"), [(name, file) for name in LETTERS for file in files_of(name)])
def test_no_two_of_three_colleagues_get_the_same_sentence(name, file):
    for kind, facts in known(name, file).items():
        letters = [write(name, file, facts, PLAIN, turn) for turn in range(COLLEAGUES)]
        for one, other in combinations(letters, 2):
            shared = sentences(one, facts.sender_name) & sentences(other, facts.sender_name)
            assert not shared, (kind, shared)


# --- facts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_filled_in_values_are_marked_and_only_they(language):
    letter = render(library().letter("catalogue"), language, SAMPLES)
    marked = {value for block in letter.blocks for value in re.findall("\ue000([^\ue001]*)\ue001", block.marked)}
    assert SAMPLES[language].exporter in marked
    assert {SAMPLES[language].greeting, "8481.80"} <= marked
    assert all(re.sub("[\ue000\ue001]", "", block.marked) == block.text for block in letter.blocks)


def test_a_letter_without_facts_is_shorter():
    whole = render(library().letter("thank_you"), "en", SAMPLES)
    short = render(library().letter("thank_you"), "en", {"en": least(SAMPLES["en"])})
    assert [block.id for block in short.blocks] == ["greeting", "thanks", "question", "closing", "signature"]
    assert len(to_text(short.blocks)) < len(to_text(whole.blocks)) / 2


@pytest.mark.parametrize("name", WITH_CATALOGUE)
def test_the_link_to_the_catalogue_is_in_the_letters_that_offer_it(name):
    for language in LANGUAGES:
        known_link = replace(SAMPLES[language], attached=False)
        text = to_text(render(library().letter(name), language, {language: known_link}).blocks)
        assert "https://hanbit.example/catalogue/en.pdf" in text, language


def test_a_price_is_left_out_unless_currency_unit_terms_and_validity_are_known():
    for absent in ("currency", "moq_unit", "price_valid_until", "incoterm_place"):
        facts = replace(SAMPLES["en"], **{absent: None})
        text = to_text(render(library().letter("catalogue"), "en", {"en": facts}).blocks)
        assert "Indicative price" not in text, absent
        assert "12.50" not in text, absent


def test_a_catalogue_in_another_language_says_so():
    japanese = replace(SAMPLES["ja"], catalogue_language="ja")
    letter = library().letter("catalogue")
    assert "英語版" in to_text(render(letter, "ja", SAMPLES).blocks)
    assert "版）" not in to_text(render(letter, "ja", {"ja": japanese}).blocks)


def test_many_letters_made_at_once_do_not_mix_up_their_buyers():
    letter = library().letter("thank_you")

    def written(number):
        facts = replace(SAMPLES["en"], greeting=f"Dear Buyer {number},")
        return render(letter, "en", {"en": facts}).blocks[0].text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(written, range(200))) == [f"Dear Buyer {number}," for number in range(200)]


# --- what each letter must and must not say --------------------------------------------------------------------------


def said(name: str, file: str, change: Change = lambda facts: facts, turn: int = 0) -> str:
    """Return the text that a file of a letter writes with all knowledge but for ``change``."""
    return to_text(write(name, file, change(full(file)), PLAIN, turn).blocks)


def of(file: str, name: str) -> str:
    return str(values(full(file), reader(file)[0], [name], home=file == AT_HOME)[name])


EVERYWHERE = pytest.mark.parametrize("file", FILES)


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_between_koreans_knows_no_trade_abroad(name):
    for turn in range(COLLEAGUES):
        abroad = re.search(
            r"Incoterm|FOB|HS ?코드|관세|통관|FTA|선적|USD|현지|비자|신용장|T/T", said(name, AT_HOME, turn=turn)
        )
        assert not abroad, (turn, abroad)


@pytest.mark.parametrize("name", ["catalogue", "quotation", "negotiation", "distributor_proposal", "request_answer"])
def test_amounts_between_koreans_say_that_vat_is_extra(name):
    no_quotation = _without("quotation") if name == "request_answer" else lambda facts: facts
    assert re.search("부가세", said(name, AT_HOME, no_quotation))


@EVERYWHERE
def test_the_meeting_has_every_slot_and_the_calendar_file(file):
    files = {"ko": "파일", "en": "file", "zh-Hans": "文件", "zh-Hant": "檔案", "ja": "ファイル", "es": "archivo"}
    slots = values(known("meeting", file)["all"], reader(file)[0], ["meeting_slots"])["meeting_slots"]
    for turn in range(COLLEAGUES):
        text = said("meeting", file, turn=turn)
        assert all(f"- {slot}" in text for slot in slots)
        assert files[reader(file)[0]] in text


@EVERYWHERE
def test_the_summary_numbers_what_is_agreed_open_and_proposed(file):
    facts = known("negotiation", file)["all"]
    points = (*facts.negotiation.agreed, *facts.negotiation.open_points, *facts.negotiation.proposals)
    text = said("negotiation", file)
    assert all(f"1. {point}" in text for point in points)
    assert of(file, "proposals_until") in text


@EVERYWHERE
def test_the_proposal_names_territory_term_minimum_its_consequence_and_a_lawyer(file):
    lawyers = {"ko": "변호사", "en": "lawyer", "zh-Hans": "律师", "zh-Hant": "律師", "ja": "弁護士", "es": "abogado"}
    for turn in range(COLLEAGUES):
        text = said("distributor_proposal", file, turn=turn)
        for fact in ("territory", "term_from", "term_until", "minimum_purchase"):
            assert of(file, fact) in text
        items = [line for line in text.split("\n") if line.startswith("- ")]
        below = next(place for place, line in enumerate(items) if of(file, "minimum_purchase") in line) + 1
        other = said("distributor_proposal", file, _part("contract", kind="non_exclusive"), turn)
        assert items[below] not in other  # what follows below the minimum depends on the right that was given
        assert len(re.findall(lawyers[reader(file)[0]], text)) >= 2


@EVERYWHERE
@pytest.mark.parametrize("name", ["close", "season"])
def test_the_polite_close_and_the_greeting_ask_nothing(name, file):
    for turn in range(COLLEAGUES):
        assert not re.search(r"[?？]|でしょうか|ますか", said(name, file, turn=turn))


def _season(code: str) -> Change:
    return lambda facts: replace(facts, season=code)


@EVERYWHERE
def test_a_seasons_greeting_sells_nothing(file):
    offers = r"견적|단가|카탈로그|报价|報價|目录|型錄|カタログ|見積|\bprice|\bcatalog|\bprecio|\bcatálogo|cotización"
    for season in SEASONS:
        for turn in range(COLLEAGUES):
            text = said("season", file, _season(season), turn)
            assert full(file).product not in text
            assert not re.search(offers, text, re.IGNORECASE)


@EVERYWHERE
def test_each_season_has_its_own_greeting(file):
    greetings = {season: said("season", file, _season(season)) for season in SEASONS}
    kept = ("lunar_new_year", "mid_autumn", "year_end") if file == AT_HOME else SEASONS
    assert len({greetings[season] for season in kept}) == len(kept)


@EVERYWHERE
def test_every_request_is_answered_or_follows_by_a_day(file):
    for code in Request:
        text = said("request_answer", file, lambda facts, code=code: replace(facts, requested=(code,)))
        assert re.search(r"^- ", text, re.MULTILINE), code
        bare = least(full(file), ["requested_list"])
        letter = write(
            "request_answer", file, replace(bare, requested=(code,), promised_by=full(file).promised_by), PLAIN
        )
        assert of(file, "promised_by") in to_text(letter.blocks), code


@EVERYWHERE
def test_an_answer_that_is_complete_promises_no_rest(file):
    text = said("request_answer", file, lambda facts: replace(facts, requested=(Request.CATALOGUE,)))
    assert of(file, "promised_by") not in text

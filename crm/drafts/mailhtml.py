"""Holds the HTML of a letter against what the mail programs show: ``mailhtml.toml``. Pure; nothing is mended here.

Checked is the whole page as it is sent, footer and conditional comments for Outlook included.
"""

import colorsys
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

from crm.core.i18n import _

VOID = frozenset({"meta", "br"})
_MSO = re.compile(r"\[if (?:gte )?mso(?: \d+)?\]>(.*)<!\[endif\]", re.DOTALL)
_BAD_VALUE = re.compile(
    r"url\(|calc\(|var\(|expression|!important|(?<![\w#])-\d|\bauto\b|\d(?:rem|vw|vh)\b", re.IGNORECASE
)
_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """One thing a mail program would not show as meant, and what to write instead."""

    message: str
    hint: str = ""


@cache
def supported() -> Mapping[str, Any]:
    """Return mailhtml.toml."""
    return tomllib.loads(files("crm.drafts").joinpath("mailhtml.toml").read_text(encoding="utf-8"))


def check_page(page: str) -> list[Fault]:
    """Return every fault of a whole HTML part, in the order in which they stand; each once."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    faults = [*reader.faults, *_unclosed(reader), *_missing(reader), *_measures(page)]
    return list(dict.fromkeys(faults))


@dataclass
class _Element:
    tag: str
    color: str
    background: str


@dataclass
class _Open:
    """What the reader of a page remembers."""

    elements: list[_Element] = field(default_factory=lambda: [_Element("", "", "")])
    metas: dict[str, str] = field(default_factory=dict)
    charset: str = ""
    lang: str = ""


class _Page(HTMLParser):
    """Walks over a page and collects faults; ``state`` is what is open and what the head says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.state = _Open()
        self.faults: list[Fault] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.faults += _element_faults(tag, values)
        styles = dict(_declarations(values.get("style", "")))
        self.faults += _style_faults(tag, styles)
        outer = self.state.elements[-1]
        color = styles.get("color", outer.color)
        background = styles.get("background-color", outer.background)
        if tag not in VOID:
            self.state.elements.append(_Element(tag, color, background))
        if tag == "html":
            self.state.lang = values.get("lang", "")
        if tag == "meta":
            self.state.charset = values.get("charset", self.state.charset).lower()
            self.state.metas[values.get("name", "")] = values.get("content", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.state.elements[-1].tag:
            self.state.elements.pop()
        elif tag not in VOID:
            self.faults.append(Fault(_("</{tag}> closes nothing that is open.", tag=tag)))

    def handle_data(self, data: str) -> None:
        here = self.state.elements[-1]
        if data.strip() and here.tag not in ("title", "style", "script"):
            self.faults += _color_faults(here)

    def handle_comment(self, data: str) -> None:
        inside = _MSO.fullmatch(data)
        if inside is None:
            self.faults.append(Fault(_("A comment stands in the page: {text}", text=data[:40]), _("Leave it out.")))
            return
        for tag, rest in re.findall(r"<(\w+)([^>]*)>", inside[1]):
            values = dict(re.findall(r'([\w-]+)="([^"]*)"', rest))
            self.faults += [
                *_element_faults(tag, values),
                *_style_faults(tag, dict(_declarations(values.get("style", "")))),
            ]


def _element_faults(tag: str, values: Mapping[str, str]) -> Iterator[Fault]:
    allowed = supported()["elements"].get(tag)
    if allowed is None:
        why = supported()["refused"].get(tag, _("Not every mail program shows it."))
        yield Fault(_("<{tag}> has no place in a letter.", tag=tag), why)
        return
    for name in values:
        if name not in allowed:
            yield Fault(
                _("<{tag}> carries {name}, which mail programs remove.", tag=tag, name=name), _("Leave it out.")
            )
    address = values.get("href", "")
    if tag == "a" and not address.startswith(("https://", "http://", "mailto:")):
        yield Fault(_("A link leads to “{text}”.", text=address), _("Only web and mail addresses can be followed."))


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for part in style.split(";"):
        name, sign, value = part.partition(":")
        if sign:
            yield name.strip().lower(), value.strip()


def _style_faults(tag: str, styles: Mapping[str, str]) -> Iterator[Fault]:
    for name, value in styles.items():
        if name not in supported()["properties"]:
            yield Fault(
                _("<{tag}> is styled by {name}, which not every mail program knows.", tag=tag, name=name),
                _("Use a property of mailhtml.toml, or add it there with its source."),
            )
        elif _BAD_VALUE.search(value) or (name == "line-height" and not re.fullmatch(r"\d+(\.\d+)?", value)):
            yield Fault(
                _(
                    "<{tag}> is styled by {name}: {value}, which not every mail program reads.",
                    tag=tag,
                    name=name,
                    value=value,
                ),
                _("Write a plain value without negative numbers, functions and units of the window."),
            )
        elif name in ("color", "background-color") and not _HEX.fullmatch(value):
            yield Fault(_("The colour {value} is not written as #rrggbb.", value=value))


# --- colours ---------------------------------------------------------------------------------------------------------


def _color_faults(here: _Element) -> Iterator[Fault]:
    if bool(here.color) != bool(here.background):
        one, other = ("color", "background-color") if here.color else ("background-color", "color")
        yield Fault(
            _(
                "In <{tag}> {one} is set and {other} is not: in dark mode the program sets the other.",
                tag=here.tag,
                one=one,
                other=other,
            ),
            _("Set both, or neither and leave it to the program."),
        )
    elif _HEX.fullmatch(here.color) and _HEX.fullmatch(here.background):
        for mode, change in ((_("light"), str), (_("dark"), _inverted)):
            ratio = contrast(change(here.color), change(here.background))
            if ratio < supported()["least_contrast"]:
                yield Fault(
                    _(
                        "In <{tag}> the text can hardly be read in {mode} mode: contrast {ratio}.",
                        tag=here.tag,
                        mode=mode,
                        ratio=f"{ratio:.1f}",
                    ),
                    _("Contrast must be at least {least}.", least=supported()["least_contrast"]),
                )


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _inverted(color: str) -> str:
    """Return what a program in dark mode makes of a colour: the same hue, light for dark."""
    hue, light, saturation = colorsys.rgb_to_hls(*_rgb(color))
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, 1 - light, saturation))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (``#rrggbb``) by WCAG 2, from 1 to 21."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(color)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


# --- the page as a whole ---------------------------------------------------------------------------------------------


def _unclosed(reader: _Page) -> Iterator[Fault]:
    for element in reader.state.elements[1:]:
        yield Fault(_("<{tag}> is not closed.", tag=element.tag))


def _missing(reader: _Page) -> Iterator[Fault]:
    if reader.state.charset != "utf-8":
        yield Fault(_("The page does not say that it is UTF-8."), '<meta charset="utf-8">')
    if not reader.state.lang:
        yield Fault(_("The page does not say its language."), '<html lang="…">')
    for name, content in supported()["metas"].items():
        if reader.state.metas.get(name) != content:
            yield Fault(_("The meta {name} is missing.", name=name), f'<meta name="{name}" content="{content}">')


def _measures(page: str) -> Iterator[Fault]:
    size, largest = len(page.encode()), supported()["largest_page"]
    if size > largest:
        yield Fault(_("The page has {size} bytes; Gmail cuts it off after {largest}.", size=size, largest=largest))
    longest = max((len(line.encode()) for line in page.splitlines()), default=0)
    if longest > supported()["longest_line"]:
        yield Fault(
            _(
                "A line of the page has {length} octets; a mail line may have {limit}.",
                length=longest,
                limit=supported()["longest_line"],
            )
        )

"""The conditions of workflows in words, for people who read no code: ``Country: not South Korea``."""

import re
from collections.abc import Callable, Mapping

from crm.core.i18n import N_, _
from crm.pipeline.texts import stage_name
from crm.web import naming, words

NAMES = {
    "contact.country": N_("country"),
    "contact.city": N_("city"),
    "contact.language": N_("language of the letters"),
    "contact.company": N_("company"),
    "lead.rating": N_("rating of the talk"),
    "lead.interest": N_("interest"),
    "lead.interests": N_("interested in"),
    "lead.requests": N_("asked for"),
    "lead.notes": N_("note of the talk"),
    "deal.stage": N_("stage of the deal"),
    "deal.product_line": N_("product line"),
}
HAPPENED = {
    "happened.reply": (N_("an answer has come"), N_("no answer has come")),
    "happened.sample_sent": (N_("a sample was sent"), N_("no sample was sent")),
    "happened.sample_delivered": (N_("a sample has arrived"), N_("no sample has arrived")),
    "happened.quotation_sent": (N_("a quotation was sent"), N_("no quotation was sent")),
    "lead.met": (N_("the day of the talk is known"), N_("the day of the talk is not known")),
}
COMPARED = {
    "==": "{name}: {value}",
    "!=": N_("{name}: not {value}"),
    ">=": N_("{name}: {value} or more"),
    "<=": N_("{name}: {value} or less"),
    ">": N_("{name}: more than {value}"),
    "<": N_("{name}: less than {value}"),
    "in": "{name}: {value}",
    "not in": N_("{name}: not {value}"),
}
_NAMED: Mapping[str, Callable[[str], str]] = {
    "contact.country": words.country,
    "contact.language": words.tongue,
    "lead.requests": naming.request_name,
    "deal.stage": stage_name,
}
_TEXT = r'"[^"]*"|\'[^\']*\''
_VALUE = rf"{_TEXT}|\d+(?:\.\d+)?|\[[^\]]*\]"
_PLAIN = re.compile(rf"(\w+\.\w+)\s*(==|!=|>=|<=|>|<|not in|in)\s*({_VALUE})")
_MEMBER = re.compile(rf"({_TEXT})\s+(not in|in)\s+(\w+\.\w+)")
_FACT = re.compile(r"(not\s+)?(\w+\.\w+)")


def condition_text(condition: str) -> str:
    """Return a condition in the viewer's language, or an empty text for one that is too involved to be told so."""
    for joint, told in ((" or ", _("{left} or {right}")), (" and ", _("{left} and {right}"))):
        left, found, right = condition.partition(joint)
        if found and "(" not in condition:
            parts = condition_text(left), condition_text(right)
            return told.format(left=parts[0], right=parts[1]) if all(parts) else ""
    return _told(condition.strip())


def _told(text: str) -> str:
    if (found := _PLAIN.fullmatch(text)) and found[1] in NAMES:
        return _(COMPARED[found[2]], name=_(NAMES[found[1]]), value=_value(found[1], found[3]))
    if (found := _MEMBER.fullmatch(text)) and found[3] in NAMES:
        return _(COMPARED[found[2]], name=_(NAMES[found[3]]), value=_value(found[3], found[1]))
    if (found := _FACT.fullmatch(text)) and found[2] in HAPPENED:
        return _(HAPPENED[found[2]][bool(found[1])])
    return ""


def _value(name: str, text: str) -> str:
    said = _NAMED.get(name, str)
    if text.startswith("["):
        return ", ".join(said(one[1:-1]) for one in re.findall(_TEXT, text)) or _("nothing")
    return said(text[1:-1]) or _("nothing") if text[0] in "\"'" else text

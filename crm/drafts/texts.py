"""The sentences for what ``rules`` finds; what clearance finds is said in its words."""

from collections.abc import Mapping
from typing import Protocol

from crm.clearance import texts as clearance_texts
from crm.clearance.question import Level, Verdict
from crm.core.i18n import N_, _
from crm.drafts.phrases import PHRASE, all_phrases

TITLES: dict[str, str] = {
    "placeholder_left": N_("A placeholder is left"),
    "character_lost": N_("A character is lost"),
    "bank_data": N_("Bank data in the letter"),
    "incoterm_without_place": N_("Incoterm without a place"),
    "subject_empty": N_("No subject"),
    "subject_lines": N_("Subject with a line break"),
    "subject_long": N_("Long subject"),
    "wrong_script": N_("Writing of another language"),
    "wrong_han": N_("Chinese characters of another region"),
    "slash_date": N_("Ambiguous date"),
    "bare_currency": N_("Currency not named"),
    "superlative": N_("Superlative"),
    "exclamation": N_("Exclamation mark"),
    "comma_after_salutation": N_("Comma after the salutation"),
    "nim_and_gwiha": N_("님 and 귀하 together"),
    "too_low": N_("씨 is too low for a buyer"),
    "onchu_and_sama": N_("御中 and 様 together"),
    "kakui_sama": N_("各位 with 様"),
    "title_before_sama": N_("Title straight before 様"),
    "informal_address": N_("Informal address"),
    "unpaired_marks": N_("Opening ¿ or ¡ missing"),
    "phrase": N_("Better said in another way"),
    "long_words": N_("Long letter"),
    "long_characters": N_("Long letter"),
    "name_damaged": N_("Damaged name"),
    "name_in_other_script": N_("Name in another script"),
    "wrong_gender": N_("Courtesy word of the other gender"),
    "gender_unknown": N_("Gender unknown"),
    "same_sentence": N_("A colleague reads the same sentence"),
    "enclosure_foreign": N_("File of another company"),
    "enclosure_other_buyer": N_("Paper of another buyer"),
    "enclosure_changed": N_("Another file than the one chosen"),
    "enclosure_withdrawn": N_("Withdrawn document"),
    "enclosure_older": N_("Older version"),
    "enclosure_out": N_("File left out"),
    "enclosure_large": N_("Attachments too large"),
    "enclosure_link_over": N_("Link out of date"),
    "meeting_changed": N_("Meeting changed"),
    "meeting_over": N_("Proposed times have passed"),
    "papers_changed": N_("Papers of the deal changed"),
}

SENTENCES: dict[str, str] = {
    "placeholder_left": N_("“{text}” was not filled in. Edit the paragraph or correct the template."),
    "character_lost": N_("A character could not be read on the way. Correct it before it is sent."),
    "bank_data": N_("“{text}” looks like bank data. Letters never carry any; give them by telephone and signed paper."),
    "incoterm_without_place": N_("“{text}” needs a named place, as in FOB Busan, Korea."),
    "subject_empty": N_("Write a subject."),
    "subject_lines": N_("Write the subject on one line."),
    "subject_long": N_("The subject has {length} characters; {limit} are good in this language."),
    "wrong_script": N_("“{text}” is not written in the language of the letter."),
    "wrong_han": N_("“{text}” is not written so where the reader lives."),
    "slash_date": N_("“{text}” can be read as two different days. Write the month in words."),
    "bare_currency": N_("“{text}” does not say which currency. Write its code, as in USD 12.50."),
    "superlative": N_("“{text}” promises more than can be proved."),
    "exclamation": N_("The letter has {count} exclamation marks. A business letter in this language has none."),
    "comma_after_salutation": N_("A Spanish salutation ends in a colon."),
    "nim_and_gwiha": N_("“{text}” says the courtesy twice."),
    "too_low": N_("Write the title and 님 instead of “{text}”."),
    "onchu_and_sama": N_("御中 is for a firm, 様 for a person. Keep one of them."),
    "kakui_sama": N_("各位 already says the courtesy."),
    "title_before_sama": N_("In “{text}” the title belongs before the name, and 様 after the name."),
    "informal_address": N_("“{text}” is informal. A first letter says usted."),
    "phrase": N_("“{text}”: {why} Better: {better}"),
    "unpaired_marks": N_("In Spanish a question opens with ¿ and an exclamation with ¡."),
    "long_words": N_("The letter has {length} words; {limit} are the most a buyer reads."),
    "long_characters": N_("The letter has {length} characters; {limit} are the most a buyer reads."),
    "name_damaged": N_("A character of “{text}” is missing. Correct the contact first."),
    "name_in_other_script": N_("The name “{text}” cannot be read in this language and was left out of the salutation."),
    "wrong_gender": N_("“{text}” does not fit the gender recorded for this contact."),
    "gender_unknown": N_("“{text}” says a gender that is not recorded."),
    "same_sentence": N_("“{text}” also stands in the letter to {who} of the same firm. Write it in another way."),
    "enclosure_foreign": N_("{file} does not belong to the company that writes. It cannot go along."),
    "enclosure_other_buyer": N_("{file} was made for another buyer. It cannot go along."),
    "enclosure_changed": N_("{file} is not the file that was chosen for this letter. Write the letter anew."),
    "enclosure_withdrawn": N_("{file} was withdrawn. Write the letter anew."),
    "enclosure_older": N_("There is a newer version of {file}. Write the letter anew to send that one."),
    "enclosure_out": N_("{file} does not fit beside the other files and does not go along."),
    "enclosure_large": N_("The attachments have {size} MB; {most} MB are the most. Write the letter anew."),
    "enclosure_link_over": N_("The link to {file} is over before the letter leaves. Write the letter anew."),
    "meeting_changed": N_("The proposed meeting was changed after this letter was written. Write the letter anew."),
    "meeting_over": N_("None of the proposed times lies ahead. Propose others and write the letter anew."),
    "papers_changed": N_(
        "Quotation, meeting, points or contract of this deal changed after this letter was written. "
        "Compare them, or write the letter anew."
    ),
}


class Said(Protocol):
    """A finding of ours or a verdict of clearance."""

    @property
    def code(self) -> str: ...

    @property
    def params(self) -> Mapping[str, object]: ...


def say(found: Said) -> tuple[str, str]:
    """Return the title and the sentence of a finding or a verdict in the viewer's language."""
    if found.code in TITLES:
        return _(TITLES[found.code]), _(SENTENCES[found.code], **_reasoned(found))
    return clearance_texts.say(Verdict(Level.CHECK, found.code, found.params))


def _reasoned(found: Said) -> Mapping[str, object]:
    """Add reason and better wording to a phrase of the list: they stand there, in both languages of the pages."""
    if found.code != PHRASE:
        return found.params
    phrase = all_phrases()[int(str(found.params["rule"]))]
    return {**found.params, "why": phrase.reason(), "better": phrase.better}

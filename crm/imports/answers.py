"""Reads cells that answer a question with one of few words: consent, rating, language, gender."""

import re
import unicodedata

from crm.imports.words import by_word, words

YES = frozenset(words("yes"))
NO = frozenset(words("no"))
_RATING_OF = by_word("ratings")
_LANGUAGE_OF = by_word("languages")
_GENDER_OF = by_word("genders")
_COURTESY_GENDER_OF = by_word("courtesy_genders")


def consent(text: str) -> bool | None:
    """Return yes, no or None for a consent cell that is neither; a remark in brackets is ignored."""
    bare = re.sub(r"[(（][^)）]*[)）]", "", unicodedata.normalize("NFKC", text))
    word = re.sub(r"[\s.!]", "", bare).casefold()
    if word in YES:
        return True
    return False if word in NO else None


def rating(text: str) -> str:
    """Return hot, warm, cold or an empty text when the cell is none of the known spellings."""
    word = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).casefold()
    stars = word.count("★") or word.count("*")
    if stars and not word.strip("★☆*"):
        return _of_five(stars)
    number = re.fullmatch(r"([1-5])(?:\.0)?(?:/5|점|stars?|星)?", word)
    if number:
        return _of_five(int(number[1]))
    return _RATING_OF.get(word, "")


def _of_five(number: int) -> str:
    return "hot" if number >= 4 else "warm" if number == 3 else "cold"


def language(text: str) -> str:
    """Return a language code for a word that names one, or an empty text."""
    return _LANGUAGE_OF.get(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).casefold(), "")


def gender(text: str) -> str:
    """Return m, f or an empty text for a gender column."""
    return _GENDER_OF.get(text.strip(" .").casefold(), "")


def gender_of_courtesy(text: str) -> str:
    """Return m or f for a gendered courtesy title (Mr., 女士); Dr. and 様 say nothing."""
    return _COURTESY_GENDER_OF.get(text.strip(" .").casefold(), "")

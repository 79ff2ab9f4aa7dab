"""Conditions in workflow files (``audience``, ``when``): checked before they run, evaluated on plain values.

The language is that of the ``rule-engine`` package, cut down to names, texts, numbers, comparisons, ``in``, ``and``,
``or``, ``not``. Regular expressions, functions and arithmetic are refused before parsing, since the engine already
computes constants while it parses: a pattern or a power in a file could keep a process busy for years.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

import rule_engine  # type: ignore[import-untyped]
from rule_engine import ast, errors
from rule_engine.types import DataType  # type: ignore[import-untyped]

from crm.campaigns.language import LANGUAGES
from crm.campaigns.rules import known_countries
from crm.pipeline.rules import Stage

LENGTH = 500
REQUESTS = ("catalogue", "price_list", "sample", "quotation", "meeting", "certificate")


@dataclass(frozen=True)
class ContactFacts:
    """What is known of the person; empty text where nothing is. ``country`` is ISO 3166-1 alpha-2."""

    country: str = ""
    city: str = ""
    language: str = ""
    company: str = ""


@dataclass(frozen=True)
class TalkFacts:
    """What was said at the booth. ``rating``: 5 hot, 3 warm, 1 cold, 0 unknown."""

    rating: int = 0
    interests: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    notes: str = ""
    met: bool = False

    @property
    def interest(self) -> int:
        """Return 3 if they asked for something or are rated hot, 2 after a talk, 1 if they only registered."""
        if self.requests or self.rating >= 4:
            return 3
        return 2 if self.met or self.notes or self.rating >= 2 else 1


@dataclass(frozen=True)
class DealFacts:
    """The deal the lead belongs to; a lead without a deal stands at the first stage.

    ``product_line`` is the code the exporter gave it.
    """

    stage: str = Stage.LEAD.value
    product_line: str = ""


@dataclass(frozen=True)
class HappenedFacts:
    """What has come since the lead is followed up."""

    reply: bool = False
    sample_sent: bool = False
    sample_delivered: bool = False
    quotation_sent: bool = False

    @classmethod
    def of(cls, events: Collection[str]) -> "HappenedFacts":
        """Return the facts that the events so far make true."""
        return cls(**{name: name.replace("_", ".", 1) in events for name in VOCABULARY["happened"]})


@dataclass(frozen=True)
class Facts:
    """All that a condition may ask."""

    contact: ContactFacts = field(default_factory=ContactFacts)
    lead: TalkFacts = field(default_factory=TalkFacts)
    deal: DealFacts = field(default_factory=DealFacts)
    happened: HappenedFacts = field(default_factory=HappenedFacts)


@dataclass(frozen=True)
class Word:
    """A name that conditions may use: its type, what it means and, where it is a closed list, its values."""

    type: Any
    meaning: str
    values: Callable[[], frozenset[str]] | None = None


TEXT, NUMBER, YES_NO, TEXTS = DataType.STRING, DataType.FLOAT, DataType.BOOLEAN, DataType.ARRAY(DataType.STRING)
VOCABULARY: Mapping[str, Mapping[str, Word]] = {
    "contact": {
        "country": Word(TEXT, "country code of two letters (ISO 3166-1), empty if not known", known_countries),
        "city": Word(TEXT, "city as written in the list"),
        "language": Word(TEXT, "the language the buyer is written to in", lambda: frozenset(LANGUAGES)),
        "company": Word(TEXT, "the buyer's company"),
    },
    "lead": {
        "rating": Word(NUMBER, "5 hot, 3 warm, 1 cold, 0 not rated"),
        "interest": Word(NUMBER, "3 asked for something or hot, 2 talked to us, 1 only registered"),
        "interests": Word(TEXTS, "what the buyer ticked, as written"),
        "requests": Word(TEXTS, "what the buyer asked for", lambda: frozenset(REQUESTS)),
        "notes": Word(TEXT, "the note of the talk"),
        "met": Word(YES_NO, "whether the day of the talk is known"),
    },
    "deal": {
        "stage": Word(TEXT, "stage of the pipeline", lambda: frozenset(Stage)),
        "product_line": Word(TEXT, "code of the product line, as the exporter wrote it"),
    },
    "happened": {
        "reply": Word(YES_NO, "whether the buyer has answered since the follow-up began"),
        "sample_sent": Word(YES_NO, "whether a sample was sent"),
        "sample_delivered": Word(YES_NO, "whether a sample arrived"),
        "quotation_sent": Word(YES_NO, "whether a quotation was sent"),
    },
}


class ConditionError(Exception):
    """An expression cannot be used. ``code`` and ``params`` name a sentence of ``texts``; ``at`` is the offset."""

    def __init__(self, code: str, at: int = 0, **params: object) -> None:
        super().__init__(code)
        self.code, self.at, self.params = code, at, params


class Condition:
    """A checked expression. Build it with ``compile_condition``."""

    def __init__(self, text: str, rule: rule_engine.Rule) -> None:
        self.text = text
        self._rule = rule

    def holds(self, facts: Facts) -> bool:
        """Tell whether the condition is true of ``facts``."""
        return bool(self._rule.matches(facts))

    @property
    def expression(self) -> Any:
        """Return the tree of the expression, for those who look at what it asks for."""
        return self._rule.statement.expression

    @property
    def constant(self) -> bool | None:
        """Return the answer if it is the same for everybody, else None."""
        expression = self._rule.statement.expression
        return bool(expression.value) if isinstance(expression, ast.LiteralExpressionBase) else None


@lru_cache(maxsize=512)
def compile_condition(text: str) -> Condition:
    """Check an expression and make it ready. Raises ConditionError that says what was meant."""
    if len(text) > LENGTH:
        raise ConditionError("condition_long", most=LENGTH)
    _refuse_foreign_signs(text)
    try:
        rule = rule_engine.Rule(text, context=_context())
    except errors.EngineError as error:
        raise _explained(error, text) from None
    expression = rule.statement.expression
    if expression.result_type != DataType.BOOLEAN:
        raise ConditionError("condition_not_yes_no", text=text)
    _check_node(expression, text)
    return Condition(text, rule)


def holds(text: str | None, facts: Facts) -> bool:
    """Evaluate a checked expression; no expression holds for everybody."""
    return text is None or compile_condition(text).holds(facts)


_TEXT_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_REGEX = re.compile(r"[=!]~~?")
_ALLOWED = re.compile(r"[\w\s.,()\[\]]|==|!=|<=|>=|<|>")
_FOREIGN_WORDS = re.compile(r"\b(?:for|if|elif|else|then)\b")


def _refuse_foreign_signs(text: str) -> None:
    # Same length, so that offsets stay true.
    bare = _TEXT_LITERAL.sub(lambda found: "0" * len(found[0]), text)
    if pattern := _REGEX.search(bare):
        raise ConditionError("condition_regex", pattern.start(), sign=pattern[0])
    if word := _FOREIGN_WORDS.search(bare):
        raise ConditionError("condition_sign", word.start(), sign=word[0])
    at = 0
    while at < len(bare):
        allowed = _ALLOWED.match(bare, at)
        if allowed is None:
            code = "condition_single_equals" if bare[at] == "=" else "condition_sign"
            raise ConditionError(code, at, sign=bare[at])
        at = allowed.end()


@cache
def _context() -> rule_engine.Context:
    objects = {
        name: DataType.OBJECT(name, attributes={key: word.type for key, word in words.items()})
        for name, words in VOCABULARY.items()
    }
    return rule_engine.Context(
        type_resolver=objects, resolver=_resolve, default_timezone="utc", mapping_attribute_lookup=False
    )


def _resolve(facts: Facts, name: str) -> Any:
    return getattr(facts, name)


def _explained(error: errors.EngineError, text: str) -> ConditionError:
    if isinstance(error, errors.SymbolResolutionError):
        near = error.suggestion if error.suggestion in VOCABULARY else None
        params = {"name": error.symbol_name, "near": near or "", "known": ", ".join(VOCABULARY)}
        return ConditionError("condition_name", _find(text, error.symbol_name), **params)
    if isinstance(error, errors.AttributeResolutionError):
        return _unknown_attribute(error, text)
    if isinstance(error, errors.RuleSyntaxError):
        token = error.token
        return ConditionError("condition_syntax", token.lexpos if token else len(text), text=text)
    if isinstance(error, errors.SyntaxError):
        return ConditionError("condition_syntax", 0, text=text)
    return ConditionError("condition_types", 0, text=text)


def _unknown_attribute(error: errors.AttributeResolutionError, text: str) -> ConditionError:
    name = error.attribute_name
    owner = next((key for key in VOCABULARY if re.search(rf"\b{key}\.{re.escape(name)}\b", text)), "")
    known = VOCABULARY.get(owner, {})
    near = error.suggestion if error.suggestion in known else ""
    return ConditionError(
        "condition_name", _find(text, name), name=f"{owner}.{name}".lstrip("."), near=near, known=", ".join(known)
    )


def _find(text: str, name: str) -> int:
    found = re.search(rf"\b{re.escape(name)}\b", text)
    return found.start() if found else 0


def _check_node(node: Any, text: str) -> None:
    """Refuse what compiles and can never be meant: text beside numbers, an order of texts, values that do not exist."""
    if isinstance(node, ast.ComparisonExpression):
        _check_comparison(node, text)
    elif isinstance(node, ast.ContainsExpression):
        _check_values(node.member, _literals(node.container), text)
        _check_values(node.container, _literals(node.member), text)
    for name in ("left", "right", "container", "member", "expression"):
        child = getattr(node, name, None)
        if isinstance(child, ast.ExpressionBase):
            _check_node(child, text)


def _check_comparison(node: ast.ComparisonExpression, text: str) -> None:
    left, right = node.left.result_type, node.right.result_type
    if left != right and not (TEXTS in (left, right) and (_is_empty(node.left) or _is_empty(node.right))):
        raise ConditionError("condition_types", text=text)
    if isinstance(node, ast.ArithmeticComparisonExpression) and left != DataType.FLOAT:
        raise ConditionError("condition_order", text=text)
    _check_values(node.left, _literals(node.right), text)
    _check_values(node.right, _literals(node.left), text)


def _is_empty(node: Any) -> bool:
    """Tell whether a node is ``[]``, which has no type of its own."""
    return isinstance(node, ast.ArrayExpression) and not node.value


def _literals(node: Any) -> Iterator[str]:
    if isinstance(node, ast.StringExpression):
        yield str(node.value)
    elif isinstance(node, ast.ArrayExpression):
        for item in node.value:
            yield from _literals(item)


def _check_values(node: Any, values: Iterator[str], text: str) -> None:
    word = _word(node)
    if word is None or word.values is None:
        return
    for value in values:
        if value and value not in word.values():
            name = f"{node.object.name}.{node.name}"
            known = sorted(word.values())
            near = {"UK": "GB"}.get(value) or next(iter(get_close_matches(value, known, n=1)), "")
            if node.name == "country" and value != "UK":
                near = ""  # codes of two letters all look alike
            shown = "" if len(known) > 20 else ", ".join(known)
            raise ConditionError(
                "condition_value", max(text.find(value), 0), name=name, value=value, near=near, known=shown
            )


def _word(node: Any) -> Word | None:
    if isinstance(node, ast.GetAttributeExpression) and isinstance(node.object, ast.SymbolExpression):
        return VOCABULARY.get(node.object.name, {}).get(node.name)
    return None

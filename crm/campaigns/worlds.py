"""Every kind of buyer that conditions can tell apart, so that a condition can be called always true or never true.

A condition asks for few values: a country, a rating, what was asked for. One buyer for each combination of the values
named in the conditions of a file, and of one value that none of them names, behaves like all buyers there can be.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from itertools import chain, combinations, product
from typing import Any

from rule_engine import ast  # type: ignore[import-untyped]

from crm.campaigns.conditions import NUMBER, TEXTS, VOCABULARY, YES_NO, Facts, Word, compile_condition
from crm.pipeline.rules import Stage

MOST = 2_000
"""How many kinds of buyers are looked at; what would need more is not judged."""
FRESH = "\N{REPLACEMENT CHARACTER}"
"""A text that no condition names."""
Name = tuple[str, str]
DERIVED: Mapping[Name, tuple[Name, ...]] = {
    ("lead", "interest"): (("lead", "rating"), ("lead", "requests"), ("lead", "met")),
}
"""Words that follow from others."""
RATINGS = (0, 1, 2, 3, 4, 5)


def kinds_of_buyers(texts: Iterable[str]) -> tuple[Facts, ...] | None:
    """Return one buyer of each kind that the (checked) conditions tell apart; None when there are too many."""
    named: dict[Name, set[Any]] = {}
    for text in texts:
        for name, values in _asked(text).items():
            named.setdefault(name, set()).update(values)
    for name in [name for name in named if name in DERIVED]:
        del named[name]
        for other in DERIVED[name]:
            named.setdefault(other, set())
    return _combined(named)


def _combined(named: Mapping[Name, set[Any]]) -> tuple[Facts, ...] | None:
    choices: list[list[Any]] = []
    count = 1
    for (owner, name), values in named.items():
        if name not in {item.name for item in fields(getattr(Facts(), owner))}:
            return None
        choices.append(list(_values(owner, name, VOCABULARY[owner][name], values)))
        count *= len(choices[-1])
        if count > MOST:
            return None
    return tuple(_facts(list(named), chosen) for chosen in product(*choices))


def _facts(names: Sequence[Name], chosen: Sequence[Any]) -> Facts:
    facts = Facts()
    parts: dict[str, dict[str, Any]] = {}
    for (owner, name), value in zip(names, chosen, strict=True):
        parts.setdefault(owner, {})[name] = value
    return replace(facts, **{owner: replace(getattr(facts, owner), **known) for owner, known in parts.items()})


def _values(owner: str, name: str, word: Word, named: set[Any]) -> Iterator[Any]:
    """Yield the values of one word that make a difference."""
    if word.type == YES_NO:
        yield from (True, False)
    elif word.type == NUMBER:
        yield from RATINGS if name == "rating" else sorted({n + d for n in named for d in (-1, 0, 1)} | {0})
    elif word.type == TEXTS:
        yield from _lists(named, word)
    elif (owner, name) == ("deal", "stage"):
        yield from (stage.value for stage in Stage)
    else:
        yield from _texts(named, word)


def _texts(named: set[Any], word: Word) -> Iterator[str]:
    if word.values is not None:
        known = word.values()
        yield from sorted(named & known)
        yield from sorted(known - named)[:1]
        return
    singles = sorted(text for text in named if text)
    yield from ("", FRESH, *singles)
    if len(singles) > 1:
        yield " ".join(singles)


def _lists(named: set[Any], word: Word) -> Iterator[tuple[str, ...]]:
    others = sorted(word.values() - named)[:1] if word.values is not None else [FRESH]
    members = [*sorted(named), *others]
    yield from chain.from_iterable(combinations(members, size) for size in range(len(members) + 1))


@lru_cache(maxsize=512)
def _asked(text: str) -> Mapping[Name, frozenset[Any]]:
    """Return the words a condition asks for, each with the values it is compared with."""
    found: dict[Name, set[Any]] = {}
    _collect(compile_condition(text).expression, found)
    return {name: frozenset(values) for name, values in found.items()}


def _collect(node: Any, found: dict[Name, set[Any]]) -> None:
    children = [getattr(node, name, None) for name in ("left", "right", "container", "member", "expression")]
    children = [child for child in children if isinstance(child, ast.ExpressionBase)]
    literals = {value for child in children for value in _literals(child)}
    for name in (name for child in (node, *children) if (name := _name(child))):
        found.setdefault(name, set()).update(literals)
    for child in children:
        _collect(child, found)


def _name(node: Any) -> Name | None:
    if isinstance(node, ast.GetAttributeExpression) and isinstance(node.object, ast.SymbolExpression):
        return (node.object.name, node.name)
    return None


def _literals(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.ArrayExpression):
        for item in node.value:
            yield from _literals(item)
    elif isinstance(node, ast.StringExpression):
        yield str(node.value)
    elif isinstance(node, ast.FloatExpression):
        yield int(node.value)

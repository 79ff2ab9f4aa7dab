"""Decisions about exporters' facts, on plain values."""

from collections.abc import Mapping

INCOTERMS = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
"""The rules of Incoterms 2020."""


def in_language(names: Mapping[str, str], language: str) -> str:
    """Return the name in ``language``; else English, else Korean, else any. Chinese falls back within Chinese first."""
    order = [language, *(["zh-Hans", "zh-Hant"] if language.startswith("zh") else []), "en", "ko"]
    return next((names[key] for key in order if names.get(key)), next(iter(names.values()), ""))

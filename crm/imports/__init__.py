"""Reads contact lists and takes them in as batches that can be undone.

In: a file as bytes with its name. Out: canonical rows, each with warnings, refusals with reasons, and a batch that
remembers where every value came from. It never guesses silently, never loses a row, and never evaluates a formula.
"""

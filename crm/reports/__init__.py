"""Figures over the whole way: how many buyers were listed, written to, answered, quoted, and given a contract.

In come the rows of every other room, narrowed to what the viewer may see; out go counts, and XLSX files of them.
It never changes a row.
"""

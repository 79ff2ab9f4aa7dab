"""The advisor's decision about each draft.

In: drafts that wait. Out: approvals bound to the exact letter, with its bytes composed once; returns, postponements,
edits. It never approves what was changed since it was read, and never sends.
"""

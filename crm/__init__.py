"""Ieum (이음), the post-show follow-up engine.

A row enters on the left and leaves on the right; a room may import the rooms before it, never one after it:

    core · mail · accounts · exporters · contacts · imports · pipeline · clearance · campaigns
         · drafts · review · delivery · inbox · reports · tables · jobs · web · demo · cli

See docs/architecture.md for what each room takes, gives and never does.
"""

__version__ = "0.1.0"

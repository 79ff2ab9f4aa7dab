"""From a lead to an exclusive contract: where each deal stands, and which territory is given to whom.

In come leads and recorded events; out go stages with who, when and why, and claims of exclusivity that stand in the way
of an offer. It never skips history, and it never moves a deal to lost or back without a person and a reason.
"""

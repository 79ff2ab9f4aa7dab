"""May this letter go to this person now, and why.

In come plain facts about a letter, its recipient, the exporter, consent, refusals and the moment; out goes a list of
verdicts (block, check, pass), each with its reason, its source and what would resolve it, and the subject label and
footer that a country asks for. It never sends, and never decides alone what a person must decide.
"""

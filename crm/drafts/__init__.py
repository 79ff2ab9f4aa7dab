"""Writes one letter in one language from a template and what is known about the buyer.

In come a due step, a template of ordered blocks and the facts; out goes a draft whose blocks stand beside their Korean
rendering, with every filled-in value marked. It never leaves a blank or a placeholder, guesses a gender or a name, or
decides whether the letter may go.
"""

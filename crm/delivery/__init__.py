"""Sends approved letters, each once.

In: approvals whose time has come. Out: letters that were sent, that wait for another try, that bounced, that were held
back at the last moment, or whose fate a person has to decide. Delivery never renders, never sends twice, and never
guesses what became of a letter after its body was offered.
"""

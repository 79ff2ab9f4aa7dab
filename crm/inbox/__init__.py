"""Reads the mailbox and acts on what came in.

In: mails. Out: replies, absences, bounces, complaints and opt-outs, each with its raw bytes, the letter it belongs to
and why we think so. Inbox never marks a mail as seen before its row is committed, never makes a contact, never answers.
"""

"""The post office's counter: SMTP and IMAP sessions, and the form of a mail.

In: a composed letter, or a mailbox. Out: the relay's answer, or a parsed mail with what it says about itself.
Mail never knows a contact, a deal or a table.
"""

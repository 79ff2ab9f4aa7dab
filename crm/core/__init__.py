"""What every room stands on: settings, database session, clock, event log, errors, translation.

In: config.toml and the environment. Out: one ``Context`` that carries settings, database and clock.
Core never knows a contact, a letter or a stage.
"""

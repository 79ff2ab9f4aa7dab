"""The exporters (SMEs) whose buyers we follow up: company, product lines, catalogues, booths, people in charge.

In: facts that staff and SMEs keep. Out: what letters say about a company, and who may see it. It never knows a buyer.
"""

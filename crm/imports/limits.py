"""How much one file may hold, and what reading one may cost."""

MAX_BYTES = 64 << 20
MAX_ROWS = 200_000
MAX_CARDS = 50_000
MAX_COLUMNS = 16_384
TITLE_ROWS = 25
"""Lines above the header that do not count as rows."""
CELLS = 12_000_000
"""Of one sheet, the empty ones between the others included."""
MERGED_CELLS = 500_000

CHILD_MEMORY_BYTES = 1 << 30
CHILD_SECONDS = 8.5
"""A whole import of the largest file must stay usable; what takes longer than this was made to."""
UNPACKED_BYTES = 400 << 20
SPOOL_BYTES = 1 << 30

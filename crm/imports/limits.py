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
CHILD_CPU_SECONDS = 8
"""Of processor time: the largest honest file takes less, what takes more was made to. It does not depend on how busy
the machine is, as the time on the clock does."""
CHILD_SECONDS = 60.0
"""On the clock: only who waits for something, or gets next to nothing of a busy machine, takes so long."""
UNPACKED_BYTES = 400 << 20
SPOOL_BYTES = 1 << 30

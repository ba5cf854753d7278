"""How label rates moved between two scored corpora, or between two periods of one.

`periods` splits one corpus in two, `bootstrap` makes the intervals, `comparison` puts the result together and says what
makes it less trustworthy.
"""

from rhetoric.compare.bootstrap import Shift
from rhetoric.compare.comparison import Comparison, Group, compare
from rhetoric.compare.periods import split

__all__ = ["Comparison", "Group", "Shift", "compare", "split"]

"""The documents that scored rows belong to: in statistics clusters, whose rows are alike and not independent.

Whoever makes an interval from scored rows asks here which column names the documents, and how few are too few.
"""

from __future__ import annotations

from rhetoric.scored import Scored

__all__ = ["FEW_CLUSTERS", "cluster_column"]

# Columns that name what rows belong to, in this order.
COLUMNS = ("document", "document_id", "doc_id", "speech_id")
# Of fewer a design effect cannot be estimated well, and a bootstrap is too sure of itself (Cameron et al., 2008).
FEW_CLUSTERS = 10


def cluster_column(*sides: Scored) -> str | None:
    """The column that names the documents of rows.

    Args:
        *sides: Scored rows, of one file or of those that are compared.

    Returns:
        The first of the usual names under which each side has a value; None without one.
    """
    return next((name for name in COLUMNS if all(_is_filled(side, name) for side in sides)), None)


def _is_filled(side: Scored, column: str) -> bool:
    return column in side.columns and any(side.values(column))

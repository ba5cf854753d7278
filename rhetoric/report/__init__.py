"""A scored file as one page: rates over time and by group with intervals, what goes together, and the text to search.

`figures` computes, `charts` draws, `page` puts the page together. The page loads nothing from elsewhere.
"""

from rhetoric.report.figures import Figures, Rate, figures
from rhetoric.report.page import report

__all__ = ["Figures", "Rate", "figures", "report"]

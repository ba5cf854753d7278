"""Pages that live elsewhere in the repository become pages of the site."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "model-card.md": "model_cards/default.md",
    "reliability.svg": "model_cards/reliability.svg",
    "data-sheet.md": "training/DATASHEET.md",
    "codebook.md": "training/CODEBOOK.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds them."""
    for name, source in PAGES.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files

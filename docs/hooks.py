"""Pages that live elsewhere in the repository become pages of the site."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

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


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to their places in the repository become links to the pages."""
    for name, source in PAGES.items():
        for end in ")#":
            markdown = markdown.replace(f"](../{source}{end}", f"]({name}{end}")
    return markdown

"""`python -m rhetoric` is `rhetoric`; launchers such as torchrun want it so."""

from __future__ import annotations

from rhetoric.cli import main

if __name__ == "__main__":
    main()

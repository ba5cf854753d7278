"""How the bundled model was made: labels, recipe, tests of behaviour, card. Not part of the package."""

"""What somebody would send who means harm: files that never end, that grow, that lead elsewhere, that speak to shells.

Recipes and calibrations are reviewed; documents, models, and whatever else comes from outside are not.
"""

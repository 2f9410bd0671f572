"""How many tokens there are: language codes, planning catalogs, pools."""

"""Documents of sources that have `paths`: finding the files, and reading only the columns that are wanted."""

"""`python -m mixc`: the command line."""

from mixc.compiler.cli import main

if __name__ == "__main__":
    main()

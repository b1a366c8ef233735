"""`python -m edgewise.cli`: the same as `edgewise`."""

from edgewise.cli import main

if __name__ == "__main__":
    main()

"""`python -m pyminidock` is `minidock`."""

from pyminidock.cli.main import main

if __name__ == "__main__":
    main()

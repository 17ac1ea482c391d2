"""`python -m workers`: one worker, until it is told to stop."""

from workers.main import main

if __name__ == "__main__":
    main()

"""For ``python -m zero_shot_emotion.cli``."""

from . import main

if __name__ == "__main__":
    main()

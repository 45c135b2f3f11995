"""``python -m boneage``."""

from boneage.apps.cli import main

if __name__ == "__main__":
    main(prog_name="boneage")

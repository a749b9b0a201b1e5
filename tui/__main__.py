"""`python -m lemnis.tui` is the `lemnis` command."""

from lemnis.tui.commands import main

if __name__ == "__main__":
    main()

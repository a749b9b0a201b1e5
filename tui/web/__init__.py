"""The console in a browser: textual-serve's terminal page, for this machine and the holder of a token alone."""

"""What the incident screen and the on-call view say, as text that the command line and Markdown share."""

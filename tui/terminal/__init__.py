"""The terminal itself: what is sent to it and how fast, what it can draw, and what a dropped console leaves behind."""

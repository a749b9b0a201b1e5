"""The pool as a screen of its own: who is promised what, who waits why and until when, and what a change would do."""

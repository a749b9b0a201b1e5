"""What the loop screen and `lemnis retrain` say, as words and rows."""

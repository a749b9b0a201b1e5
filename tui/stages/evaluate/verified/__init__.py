"""What verifying found, as lists with a detail: one module a view."""

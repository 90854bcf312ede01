"""HTTP edges of the till: ``pos`` for terminals, ``member`` for the phone."""

"""What is pure of the catalogue: prices, and how names are found."""

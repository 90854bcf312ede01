"""Bodies and answers of the calls about stock, by what they are about."""

"""Pure: what counts, who stands where, and which stage follows."""

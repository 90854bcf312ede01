"""The calls about authorisation."""

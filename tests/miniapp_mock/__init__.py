"""Tests of the stand-ins; the WeChat simulator is met here as a merchant's server meets the platform."""

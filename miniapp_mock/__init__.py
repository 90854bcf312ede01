"""The mini-app as web pages and a simulator of the WeChat platform; imports nothing of ``backend``."""

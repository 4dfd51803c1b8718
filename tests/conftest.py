"""The suites in this folder share the fixtures of support/shared_fixtures.py."""

pytest_plugins = ["shared_fixtures"]

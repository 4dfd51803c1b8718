"""What the suites below share is in support/shared_fixtures.py."""

pytest_plugins = ["shared_fixtures"]

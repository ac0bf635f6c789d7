"""In CI every test runs: a test that does not run must not look like one that passed."""

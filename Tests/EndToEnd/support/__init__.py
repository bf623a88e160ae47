"""What the end-to-end tests stand on: the program under test, its job files, and the auditor of its results."""

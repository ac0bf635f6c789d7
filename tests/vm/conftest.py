"""What runs inside the machine is not read for tests here: its imports are found there."""

collect_ignore = ["rebooted.py"]

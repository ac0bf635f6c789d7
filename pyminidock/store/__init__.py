"""What has to survive: bytes by their digest, records by their name."""

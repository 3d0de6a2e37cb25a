"""The suite at both ends of the supported window."""

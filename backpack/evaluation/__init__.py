"""What the senses of a Backpack are worth: scored against words whose meaning is known."""

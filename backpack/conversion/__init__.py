"""Backpacks from elsewhere, and for elsewhere."""

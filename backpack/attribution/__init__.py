"""Predictions taken apart into what each sense at each position adds."""

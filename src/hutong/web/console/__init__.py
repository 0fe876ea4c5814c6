"""A merchant's console: its figures, payments, bills, shops, staff, plates, keys and withdrawals, each for the roles it is for."""

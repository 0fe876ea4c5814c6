"""What the desks of a switch and of an institution have in common: signing in, approvals, operators, the audit log."""

"""The switch's desk: what the scheme's operators look at all day, and do."""

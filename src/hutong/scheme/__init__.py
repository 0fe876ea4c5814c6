"""
The network's contract: what nodes say to each other, and nothing else they know of each other.

`switch` and `institution` meet here and nowhere else, so an institution we did not write can join from
`docs/scheme/` alone. Words are ISO 20022's: `Dbtr` pays, `Cdtr` is paid, `Agt` is whose institution.
"""

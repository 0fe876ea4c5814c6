"""
Parking (停车代扣): a car drives out, and what it owes is taken from the person who agreed to that for its plate.

It promises: (1) one consent for a plate, given with the PIN (or as a mandate, by whose wallet is elsewhere), is good at every car
park of this institution's merchants, up to its limit a day; (2) an entry is paid once, however often and under however many
numbers it is asked for; (3) who drove in is told when that consent ends, begins again, or the car owes something; (4) nobody
advances the money: what cannot be taken is owed, and until it is taken the car is blocked at that merchant's car parks.
"""

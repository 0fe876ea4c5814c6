"""
People: who has a wallet here, how they prove it, and the codes they are paid by or pay with.

It promises: (1) nobody acts for a user without a session, and nobody pays without may_pay; (2) a PIN is guessed at most a
few times, whatever is restarted or tried in parallel, and it is nowhere stored so that it could be read; (3) a lost device
can do nothing from the moment it is reported; (4) a payment code is claimed by one charge; (5) a PIN token is good for one
payment of one amount to one creditor, for two minutes; (6) whoever registers again with the same registration id gets the
same user; (7) a closed user stays closed.

Words: a *user* (用户) holds a wallet; a *tier* (I, II, III 类) says how well the user's identity is known, and *evidence* how
we know; a *device* is a phone with a seed of its own; a *session* is a device's right to speak for the user; a *freeze*
stops a user until it is lifted; a *personal code* (个人码) is a plate a user is paid by.
"""

"""
Invitations (邀请): people bring friends, and are rewarded for those who really come.

It promises: (1) a friend has one inviter at most, the first who was named, and never oneself; (2) a friend rewards once at
most; (3) an inviter is never paid more than the step table says for as many friends as counted, nor a sponsor's budget
overspent; (4) a reward is paid only behind a hold in which signs of collusion were looked for, and what was found is kept with
the decision; (5) who is refused is told why, and may appeal once; (6) nobody sees more of a friend than a masked name.

Words: an *invitation* is a person's link and code in one campaign; a *referral* is a friend who came by one, from joining to
the end; a *signal* is a sign of collusion with a weight; a *circle* is the people around one referral whom signals look at.
"""

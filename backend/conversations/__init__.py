"""WeChat customer service: what customers write to the mini-program, and what the chain answers.

Words: a *conversation* is one customer's, for good, and holds all that was said; a *guest* is a customer who is no
member yet, and becomes one's conversation when they register. It is *robot*'s until a person is asked for, *waiting*
until one of the staff *claims* it, *open* while that person has it, *wechat* while WeChat's own customer service goes
on, and *closed* until the customer writes again. A *window* is what WeChat lets us send after something that the
customer did: so many messages, until then.

Invariants: every push is stored once, before WeChat is told that it was taken. Every message is counted against the
windows under the conversation's lock before it is sent, and sent once: what may have arrived is never sent again. No
more are sent than WeChat allows, whoever sends at once. Openids are kept sealed, and found by a keyed digest.
"""

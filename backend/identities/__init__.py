"""Who somebody at a till is when their phone's code is not at hand: a number is said, and they confirm it themselves.

Words: a till *asks* with a phone number, the number of a document or of a card; the *request* waits until its member
confirms it, on their phone or by their PIN at the till; then it stands for a scan with limited *rights*.

Invariants: what a till hears says nobody's membership before its member confirmed; a request that found nobody looks
like one that waits; numbers of documents are sealed and found by a blind index.
"""

"""The one list of what a member carries: stored value, points, gift cards, discount cards, campaign cards, service
cards, coupons, and the manager's card of staff. It owns nothing; it reads the domains that do.

Words: a *card* here is an entry of that list, whatever its kind; *entitlements* are what a till is shown at a scan.
"""

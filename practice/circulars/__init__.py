"""Circulars: what an organisation writes to people with an account in it, and who wants which.

A **newsletter** goes to who asked for it and confirmed that (``subscriptions``), letter by letter (``press``); a
**service notice** goes to every account, as a notice and in its inbox (``telling``). ``store`` keeps both.
"""

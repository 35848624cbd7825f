"""Looks a deployment over, part by part: what is wrong, what that means, what to do. It changes nothing."""

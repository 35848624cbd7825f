"""Looks a deployment over, part by part: what is wrong, what that means, what to do. It changes nothing.

A module for each part; each gives ``finding``s. `operate/commands/doctor.py` runs and prints them.
"""

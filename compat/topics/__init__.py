"""What the questions mean: a package a topic, with records, answers, finding and view.

A topic's ``records`` are imported inside builds: the standard library only, and Python 3.10.
"""

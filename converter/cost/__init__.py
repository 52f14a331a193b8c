"""How long a layer runs, packed or dense, and with which group size it is packed best.

This room imports `format` and `mask`.
"""

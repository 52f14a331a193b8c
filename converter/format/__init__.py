"""One pruned layer in the terms of the sparse-pattern format, and the only code that writes it as bytes.

This room imports no other.
"""

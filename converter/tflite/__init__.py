"""How ``.tflite`` files are read, checked, rewritten and written, with a report on each layer.

This room knows nothing of Keras, and imports `format`, `mask` and `cost`.
"""

"""Code generated from proto/ (see generate.py), and the descriptor pool it lives in."""

"""Shorter prompts by ablation: what a prompt can do without is taken out of it."""

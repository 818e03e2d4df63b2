"""Model families that are run layer by layer: see `table` for which there are and `base` for what one says."""

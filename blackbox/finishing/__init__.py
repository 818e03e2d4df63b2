"""What happens to the selected prompt after the search: an ensemble of the best ones, calibrated label scores."""

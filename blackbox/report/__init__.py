"""What a run has found, for people: the learning curve, the page `report.html`, and tables for the terminal."""

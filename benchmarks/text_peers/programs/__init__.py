"""One program for each tool: a brief in, what the tool has found out; run by the tool's own interpreter."""

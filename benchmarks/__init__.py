"""What the README's figures come from: `.venv/bin/python -m benchmarks NAME [--quick]`."""

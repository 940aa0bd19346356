"""The verifier of the chaos runs, itself tested."""

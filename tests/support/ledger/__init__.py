"""The smallest service on the spine, for proofs of the spine alone: it counts messages per key and says each count."""

"""Agencies at the gRPC door, each speaking to the broker as itself."""

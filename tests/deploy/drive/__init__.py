"""Deploys template.yaml with the real binaries on a local AWS emulator and drives a sync through it."""

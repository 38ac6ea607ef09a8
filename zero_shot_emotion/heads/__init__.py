"""Heads that s3prl lacks; those that it has are imported from it."""

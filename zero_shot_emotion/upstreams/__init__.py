"""Upstreams that s3prl lacks, registered in its hub: see `zero_shot_emotion.upstreams.hubconf`."""

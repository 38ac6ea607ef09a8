"""How s3prl comes to know ``-d zero_shot_emotion``: the start-up hook, the repairs, the launcher."""

"""LanSER whole (Gong et al., Interspeech 2023): from unlabelled speech to what pre-training on it saves in labels."""

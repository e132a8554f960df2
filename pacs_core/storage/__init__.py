"""Where blobs lie: the folder store."""

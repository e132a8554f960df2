"""Where blobs lie: a folder of files by opaque key."""

"""OCI images without a daemon: blobs, layers, the two forms, push."""

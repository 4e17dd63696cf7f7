"""The certificate authority that the admission program makes for itself."""

"""The certificate authorities that our programs make for themselves."""

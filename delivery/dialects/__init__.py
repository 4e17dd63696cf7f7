"""What Envoys say of themselves, read into counters: one module for each way of saying it."""

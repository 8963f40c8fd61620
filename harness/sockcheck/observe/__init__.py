"""What the kernel tells of the server: the only place that knows sock_diag, /proc and signals."""

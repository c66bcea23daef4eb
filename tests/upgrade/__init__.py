"""Updates of a server in use: every migration while people write, with the longest wait of each."""

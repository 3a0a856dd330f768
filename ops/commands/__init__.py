"""One command a module: its options, its words on the terminal, and nothing else."""

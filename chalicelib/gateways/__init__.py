"""One outside system each: the only SDK imports, and the one place its errors are translated."""

"""What only an operator asks of the outside; the functions have neither code nor rights for it."""

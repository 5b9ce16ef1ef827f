"""Values in, text out: nothing here reads a file, asks a network or looks at the clock."""

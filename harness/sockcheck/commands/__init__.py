"""What the larger commands do: each wires the parts together once."""

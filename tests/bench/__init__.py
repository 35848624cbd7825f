"""That the benchmarks run, in their short form."""

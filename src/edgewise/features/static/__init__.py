"""Static token vectors: a sentence's vector in some ten microseconds a word, without a neural network."""

"""Ways to learn what each candidate is worth on a prompt: fit and forecast, arrays in and out."""

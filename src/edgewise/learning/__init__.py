"""The learning loop: outcome table → train → evaluate → deploy → policy bundle."""

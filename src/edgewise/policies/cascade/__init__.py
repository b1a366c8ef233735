"""Edge first: whether its answer may stand, or the cloud is to be asked as well."""

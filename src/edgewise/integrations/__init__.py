"""The same router inside other people's frameworks: one folder or file each."""
